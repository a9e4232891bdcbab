// A file that is too large is said to be so when it is chosen, not after it was sent.
"use strict";

document.querySelector("[data-file-form]")?.addEventListener(
  "change",
  (event) => {
    // Unfold's own listener at the field looks for a text field beside it, which is not here.
    event.stopPropagation();
    const { target } = event;
    const isTooLarge = target.files[0]?.size > Number(target.dataset.most);
    target.setCustomValidity(isTooLarge ? target.dataset.tooLarge : "");
    target.reportValidity();
  },
  { capture: true },
);
