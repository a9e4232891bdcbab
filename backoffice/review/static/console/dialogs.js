// A link with `data-dialog` opens its form beside what is decided about. Without this script it opens as a page of its own.
"use strict";

(() => {
  const dialogOf = () => {
    let dialog = document.getElementById("c-dialog");
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.id = "c-dialog";
      dialog.className = "c-dialog";
      document.body.append(dialog);
    }
    return dialog;
  };

  function show(html) {
    const dialog = dialogOf();
    dialog.replaceChildren(document.createRange().createContextualFragment(html));
    dialog.setAttribute("aria-label", dialog.querySelector("h2")?.textContent ?? "");
    if (!dialog.open) dialog.showModal();
    const wrong = dialog.querySelector("[data-first], [aria-invalid=true]");
    (wrong ?? dialog.querySelector("input:not([type=hidden]), select, textarea, button"))?.focus();
  }

  // Whatever the answer is: a form to show, where to go on, or another page, such as the one that asks who is there.
  async function take(answer, address) {
    const goOn = answer.headers.get("X-Location");
    if (goOn) return location.assign(goOn);
    if (answer.redirected || ![200, 422].includes(answer.status)) return location.assign(address);
    show(await answer.text());
  }

  async function ask(address, how = {}) {
    document.body.setAttribute("aria-busy", "true");
    try {
      await take(await fetch(address, { ...how, headers: { "X-Dialog": "1" }, credentials: "same-origin" }), address);
    } catch {
      location.assign(address); // the page of its own says what is wrong
    } finally {
      document.body.removeAttribute("aria-busy");
    }
  }

  document.addEventListener("click", (event) => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const closer = event.target.closest?.("dialog [data-close]");
    if (closer) {
      event.preventDefault();
      return closer.closest("dialog").close();
    }
    const link = event.target.closest?.("a[data-dialog]");
    if (!link) return;
    event.preventDefault();
    ask(link.href);
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.closest("#c-dialog")) return;
    event.preventDefault();
    const pressed = form.querySelector("[type=submit]");
    if (pressed.disabled) return;
    pressed.disabled = true; // one decision, however often it is pressed
    ask(form.action, { method: "POST", body: new FormData(form) });
  });
})();
