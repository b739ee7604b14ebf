// What happened out of sight is said for a moment. Without script it stays until the next page.
const STAYS_FOR = 6000; // milliseconds

for (const toast of document.querySelectorAll("[data-toast]")) {
  let timer = 0;
  const start = () => { timer = setTimeout(() => toast.remove(), STAYS_FOR); };
  for (const sign of ["pointerenter", "focusin"]) toast.addEventListener(sign, () => clearTimeout(timer));
  for (const sign of ["pointerleave", "focusout"]) toast.addEventListener(sign, start);
  start();
}
