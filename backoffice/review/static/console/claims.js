// Whoever opens a held order has it until they leave its page: nobody else decides it meanwhile.
"use strict";

(() => {
  const AGAIN_MS = 5 * 60 * 1000; // a claim lapses after fifteen minutes
  let held = null;

  async function claim(place, token) {
    const answer = await fetch(place.dataset.claim, { method: "POST", headers: { "X-CSRFToken": token } });
    if (!answer.ok && answer.status !== 409) return;
    const said = await answer.json();
    held = said.until ?? null;
    place.textContent = said.refused ?? place.dataset.mine;
  }

  function release(place, token) {
    if (!held) return;
    const said = new FormData();
    said.append("csrfmiddlewaretoken", token);
    said.append("until", held);
    navigator.sendBeacon(place.dataset.release, said);
    held = null;
  }

  document.addEventListener("DOMContentLoaded", () => {
    const place = document.querySelector("[data-claim]");
    const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
    if (!place || !token) return;
    const work = () => document.visibilityState === "visible" && claim(place, token).catch(() => {});
    work();
    setInterval(work, AGAIN_MS);
    window.addEventListener("pagehide", () => release(place, token));
    window.addEventListener("pageshow", (event) => event.persisted && work());
  });
})();
