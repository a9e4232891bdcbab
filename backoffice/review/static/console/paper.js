// A receipt while it is typed: a further row as soon as the last is begun, and what it comes to, worked out by the server.
"use strict";

(() => {
  const PAUSE_MS = 250;
  const form = document.querySelector("form[data-paper]");
  if (!form) return;
  const sums = form.querySelector("[data-paper-sums]");
  // What a refusal is about comes first; keys.js leads there.
  if (!form.querySelector("[data-first]")) form.querySelector("[autofocus]")?.focus();
  let waiting = null;
  let asked = null;

  function addRow(rows) {
    const count = rows.querySelector("[name$=-TOTAL_FORMS]");
    const most = Number(rows.querySelector("[name$=-MAX_NUM_FORMS]").value);
    const place = Number(count.value);
    if (place >= most) return;
    const template = rows.querySelector("template");
    const html = template.innerHTML.replaceAll("__prefix__", place).replaceAll("__place__", place + 1);
    template.insertAdjacentHTML("beforebegin", html);
    count.value = place + 1;
  }

  async function workOut() {
    asked?.abort();
    asked = new AbortController();
    const body = new FormData(form);
    body.append("look", "1");
    try {
      const how = { method: "POST", body, headers: { "X-Part": "1" }, credentials: "same-origin", signal: asked.signal };
      const answer = await fetch(form.action, how);
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      sums.innerHTML = await answer.text();
    } catch (error) {
      if (error.name !== "AbortError") sums.textContent = sums.dataset.away;
    }
  }

  form.addEventListener("input", (event) => {
    const row = event.target.closest("[data-paper-row]");
    const rows = row?.closest("[data-rows]");
    if (rows && row === [...rows.querySelectorAll("[data-paper-row]")].at(-1)) addRow(rows);
    clearTimeout(waiting);
    waiting = setTimeout(workOut, PAUSE_MS);
  });

  // One decision, however often it is pressed. What is still to be worked out is not wanted any more.
  form.addEventListener("submit", (event) => {
    clearTimeout(waiting);
    asked?.abort();
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => delete form.dataset.sent);
})();
