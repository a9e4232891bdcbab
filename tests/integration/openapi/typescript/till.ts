// A till's own code against the types that openapi-typescript makes of the document. It is compiled, not run.
import type { components, operations } from "./terminal";

type Schemas = components["schemas"];

// The order of the protocol's first shift: what has a default is left out.
const sale: Schemas["Order"] = {
  order_id: "0195518b-9bd2-7c05-8a47-0d9e6f21b301",
  number: 1001,
  mode: "online",
  kind: "sale",
  status: "paid",
  opened_at: "2026-03-01T10:00:00+01:00",
  closed_at: "2026-03-01T10:01:00+01:00",
  customer: { name: "Leroy", loyalty: { points: 12 } },
  lines: [
    { quantity: "2", unit_price: 120, amount: 240, taxes: [{ code: "FR-5.5", rate: "0.055", amount: 13 }] },
    { quantity: "1.5", unit_price: "140.5", amount: 211 },
  ],
  total: 451,
  payments: [{ method: "cash", amount: 451, tendered: 500, change: 49 }],
};
const batch: Schemas["Batch"] = { orders: [sale] };
const opening: Schemas["OpenShift"] = {
  number: 311,
  opened_at: "2026-03-01T08:00:00+01:00",
  opening_float: 20000,
  first_number: 1001,
};

// Outcomes and states are all there will be in version 1: each is handled, and nothing is left.
function wordOf(outcome: Schemas["ResultAnswer"]["outcome"]): string {
  switch (outcome) {
    case "posted":
    case "duplicate":
      return "in the books";
    case "conflict":
    case "held":
      return "with head office";
    default: {
      const nothing: never = outcome;
      return nothing;
    }
  }
}

function isSettled(state: Schemas["ShiftAnswer"]["state"]): boolean {
  switch (state) {
    case "open":
    case "closing":
    case "discrepant":
      return false;
    case "reconciled":
    case "approved":
      return true;
    default: {
      const nothing: never = state;
      return nothing;
    }
  }
}

// Codes may be added, so any text is one.
const reason: Schemas["ReasonAnswer"] = { code: "a-reason-of-next-year", pointer: "/lines/0", detail: "" };

function decided(result: Schemas["ResultAnswer"]): unknown {
  return result.decision === null ? null : [result.decision.verb, result.decision["whatever comes"]];
}

// Every answer of an operation has its type, problems included.
type Sent = operations["sendBatch"]["responses"];
type Problem<Status extends keyof Sent> = Sent[Status] extends { content: { "application/problem+json": infer Body } }
  ? Body
  : never;

function understand(problem: Problem<400 | 401 | 404 | 405 | 408 | 411 | 413 | 415 | 422 | 429 | 500 | 503>): string {
  const limits = problem.limits?.max_batch_orders;
  return [problem.type.split("/").pop(), limits, ...(problem.errors ?? []).map((place) => place.pointer)].join(" ");
}

const types: Schemas["SettingsAnswer"]["order_types"] = ["takeaway"];

export { batch, decided, isSettled, opening, reason, types, understand, wordOf };
