// The question before a switch, in a dialog: the same form that the page shows without script, fetched fresh.

const dialog = document.getElementById("dialog");

export async function openSwitchDialog(event, href) {
  event.preventDefault();
  try {
    const headers = { "Tripwire-Refresh": "used" };
    const answer = await fetch(href, { headers, cache: "no-store", redirect: "error", signal: AbortSignal.timeout(4000) });
    const form = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("switch");
    if (!answer.ok || !form) throw new Error("no form");
    document.getElementById("switch")?.remove(); // one asked before, in the page
    dialog.replaceChildren(document.importNode(form, true));
    dialog.showModal();
  } catch {
    location.assign(href); // the page itself says what is wrong
  }
}

// Esc, the backdrop and the first button are all the safe answer.
dialog.addEventListener("click", (event) => {
  const staying = event.target.closest("[data-close]");
  if (staying) event.preventDefault();
  if (staying || event.target === dialog) dialog.close();
});
dialog.addEventListener("close", () => dialog.replaceChildren());
