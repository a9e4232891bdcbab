// Says it on the page when a passkey does not answer.
document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    document.querySelector("[data-passkey-failed]").hidden = false;
});
