// The console without a mouse. Letters press what has them as `data-key`; j and k go through the rows of a list, or the
// pages of a queue. Nothing happens while somebody types, while a dialog is open, or where letters were switched off.
"use strict";

(() => {
  const OFF = "console-letters-off";
  const HELD_DOWN = ["Control", "Meta", "Alt", "AltGraph"];
  const ROWS = "#result_list > tbody, [data-row]";
  const TYPED = ["text", "search", "number", "date", "time", "datetime-local", "email", "password", "tel", "url"];

  const isTyping = (element) =>
    element.isContentEditable ||
    ["TEXTAREA", "SELECT"].includes(element.tagName) ||
    (element.tagName === "INPUT" && TYPED.includes(element.type));

  const isBusy = () => document.querySelector("dialog[open]") !== null || isTyping(document.activeElement);

  const isShown = (element) => element.getClientRects().length > 0;

  const firstLink = (row) => row.querySelector("a[href], input:not([type=hidden]), button");

  function rowOf(element) {
    return element.closest(ROWS);
  }

  function move(step) {
    const rows = [...document.querySelectorAll(ROWS)].filter((row) => isShown(row) && firstLink(row));
    if (rows.length === 0) return false;
    const now = rows.indexOf(rowOf(document.activeElement));
    const next = now < 0 ? (step > 0 ? 0 : rows.length - 1) : now + step;
    if (!rows[next]) return true;
    firstLink(rows[next]).focus();
    rows[next].scrollIntoView({ block: "nearest" });
    return true;
  }

  function press(key) {
    const matching = `[data-key="${CSS.escape(key)}"]`;
    const inRow = rowOf(document.activeElement)?.querySelector(matching);
    const found = inRow || [...document.querySelectorAll(matching)].find((each) => isShown(each) && !each.closest(ROWS));
    found?.click();
    return Boolean(found);
  }

  function act(key) {
    if (key === "?") return open("c-keys");
    const inRows = document.querySelector(ROWS) !== null;
    const steps = inRows ? { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 } : {};
    if (key in steps) return move(steps[key]);
    const turns = { ArrowRight: "j", ArrowLeft: "k" };
    if (key in turns) return !inRows && press(turns[key]);
    return key.length === 1 && press(key);
  }

  function open(id) {
    const dialog = document.getElementById(id);
    if (!dialog) return false;
    listKeys(dialog);
    dialog.showModal();
    return true;
  }

  // The keys of this page, in the words of its own buttons.
  function listKeys(dialog) {
    const list = dialog.querySelector("[data-key-list]");
    if (!list || list.childElementCount > 0) return;
    const named = new Map();
    for (const each of document.querySelectorAll("[data-key]")) {
      const copy = each.cloneNode(true);
      copy.querySelectorAll("kbd").forEach((kbd) => kbd.remove());
      if (isShown(each) && !named.has(each.dataset.key)) named.set(each.dataset.key, copy.textContent.trim());
    }
    for (const [key, words] of named) {
      const [row, term, said, kbd] = ["div", "dt", "dd", "kbd"].map((name) => document.createElement(name));
      kbd.textContent = key;
      said.textContent = words;
      term.append(kbd);
      row.append(term, said);
      list.append(row);
    }
    const heading = dialog.querySelector("[data-page-keys]");
    if (heading) heading.hidden = named.size === 0;
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || HELD_DOWN.some((name) => event.getModifierState(name))) return;
    if (isBusy()) return;
    if (event.key !== "?" && localStorage.getItem(OFF) && event.key.length === 1) return;
    if (act(event.key)) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-opens]");
    if (opener) open(opener.dataset.opens);
  });

  document.addEventListener("DOMContentLoaded", () => {
    const letters = document.querySelector("[data-letters]");
    if (letters) {
      letters.checked = !localStorage.getItem(OFF);
      letters.addEventListener("change", () =>
        letters.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "yes"),
      );
    }
    announce();
  });

  // What the page has to say of what was just done is read aloud: a screen reader passes over what is there from the start.
  function announce() {
    const said = [...document.querySelectorAll("[data-said]")].map((each) => each.textContent.trim()).join(" ");
    const first = document.querySelector("[data-first]");
    if (first) return first.focus();
    if (!said) return;
    const region = document.createElement("p");
    region.className = "c-hidden";
    region.setAttribute("role", "status");
    document.body.append(region);
    requestAnimationFrame(() => (region.textContent = said));
  }
})();
