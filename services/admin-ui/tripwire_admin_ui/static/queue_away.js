// Redis was away when this page came: asks again every few seconds, and loads the page anew once it is back.
import { showAges } from "./times.js";

const asked = document.querySelector("[data-try-again]").dataset.tryAgain;
const every = Number(document.body.dataset.refresh) * 1000;

async function tryAgain() {
  if (document.hidden) return;
  try {
    const options = { headers: { "Tripwire-Refresh": "idle" }, cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(4000) };
    const answer = await fetch(asked, options);
    if (answer.ok || answer.status === 401 || answer.status === 403) location.reload();
  } catch {
    // The admin UI itself is away: the page stays, and asks again.
  }
}

setInterval(tryAgain, every);
setInterval(() => showAges(document, Infinity, false), 1000);
document.addEventListener("visibilitychange", tryAgain);
