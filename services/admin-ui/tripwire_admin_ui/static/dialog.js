// Questions in a dialog: a link that leads to a page with a form (`#question` in it) opens that form over this page.
// Without script the same link leads to the page itself.

const dialog = document.getElementById("dialog");
const isForDialog = (event) => event.detail.ctx.target === dialog;

// The page itself says what is wrong, where the form cannot be had.
function goThere(event) {
  if (isForDialog(event)) location.assign(event.target.href);
}

document.addEventListener("htmx:before:response", (event) => {
  if (!isForDialog(event) || event.detail.ctx.response.status < 400) return;
  event.preventDefault();
  goThere(event);
});
document.addEventListener("htmx:error", goThere);
document.addEventListener("htmx:after:swap", (event) => {
  if (!isForDialog(event)) return;
  if (!dialog.firstElementChild) return goThere(event);
  document.querySelector("main #question")?.remove(); // one asked before, in the page
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("[data-first]")?.focus();
});

// Esc, the backdrop and the first button are all the safe answer.
for (const each of document.querySelectorAll("dialog")) {
  let pressed = null; // a selection that began inside and ends on the backdrop is no click on it
  each.addEventListener("pointerdown", (event) => { pressed = event.target; });
  each.addEventListener("click", (event) => {
    const staying = event.target.closest("[data-close]");
    if (staying) event.preventDefault();
    if (staying || (event.target === each && pressed === each)) each.close();
  });
}
dialog.addEventListener("close", () => dialog.replaceChildren());
