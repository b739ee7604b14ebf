// Renews a page every few seconds by asking for it again, and says honestly when that fails. Without this script every
// page still reads and switches.
import { morph } from "./morph.js";
import { clock, duration, now, serverTimeIs, showAges, showTimes } from "./times.js";
import { openSwitchDialog } from "./switch_dialog.js";

const TRY_FOR = 4000; // milliseconds: the server gives the API less
const SOON = 1000; // while receipts of a switch come in
const PAUSE_SHAPE = "M5.4 3v10M10.6 3v10";
const AGAIN_SHAPE = "M5 2.8 12.6 8 5 13.2Z";

const body = document.body;
const every = Number(body.dataset.refresh) * 1000;
const ageingAfter = Number(body.dataset.ageingAfter);
const page = () => document.getElementById("page");

let timer = 0;
let asking = false;
let pausedAt = 0;
let staleCause = "";
let used = false; // whether the reader did anything since the last refresh

function isAway() {
  return page().dataset.away !== undefined; // the page itself came while the API was away: nothing has been seen yet
}

function schedule(after) {
  clearTimeout(timer);
  if (!pausedAt && !document.hidden) timer = setTimeout(refresh, after);
}

async function refresh() {
  if (asking) return;
  clearTimeout(timer);
  asking = true;
  try {
    const headers = { "Tripwire-Refresh": used ? "used" : "idle" };
    const options = { headers, cache: "no-store", redirect: "error", signal: AbortSignal.timeout(TRY_FOR) };
    const answer = await fetch(location.pathname + location.search, options);
    if (answer.status === 401 || answer.status === 403) return location.reload();
    if (!answer.ok) throw new Error(answer.status === 503 ? "The API cannot be reached." : "The admin UI failed.");
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    used = false;
    if (!pausedAt) show(fresh); // paused while it was under way: what is seen stays
  } catch (error) {
    goStale(error instanceof TypeError || error.name === "TimeoutError" ? "The admin UI cannot be reached." : error.message);
  } finally {
    asking = false;
  }
  schedule(page()?.dataset.soon !== undefined && !staleCause ? SOON : every);
}

function show(fresh) {
  leaveStale();
  const before = new Set([...document.querySelectorAll(".events > li")].map((line) => line.id));
  for (const id of ["menu", "main"]) {
    const [old, wanted] = [document.getElementById(id), fresh.getElementById(id)];
    if (old && wanted) morph(old, wanted);
  }
  document.title = fresh.title;
  if (before.size) {
    for (const line of document.querySelectorAll(".events > li")) line.classList.toggle("new", !before.has(line.id));
  }
  afterChange();
}

function afterChange() {
  serverTimeIs(page().dataset.live);
  for (const element of document.querySelectorAll("[data-without-script]")) element.hidden = true;
  for (const element of document.querySelectorAll("[data-with-script], #live")) element.hidden = false;
  showTimes(document);
  tick();
}

function tick() {
  showAges(document, ageingAfter, Boolean(staleCause));
  const seconds = duration((now() - Date.parse(page().dataset.live)) / 1000);
  if (pausedAt) showControl(`Paused at ${clock(pausedAt)}`, "Resume", AGAIN_SHAPE);
  else if (isAway()) showControl("Not live", "Try now", AGAIN_SHAPE);
  else if (staleCause) showControl(`Not live, old for ${seconds}`, "Try now", AGAIN_SHAPE);
  else showControl(`Live, updated ${seconds} ago`, "Pause", PAUSE_SHAPE);
}

function showControl(words, action, shape) {
  const control = document.getElementById("live");
  const say = (element, text) => element.textContent === text || (element.textContent = text);
  say(control.querySelector("[data-live-words]"), words);
  say(control.querySelector("[data-pause]").lastElementChild, action);
  control.querySelector("[data-pause-icon]").setAttribute("d", shape);
}

function goStale(cause) {
  if (pausedAt || isAway()) return;
  if (staleCause !== cause) {
    leaveStale();
    staleCause = cause;
    markStale();
  }
  tick();
}

function markStale() {
  body.classList.add("stale");
  const from = page().dataset.live;
  const notice = document.getElementById("stale").content.cloneNode(true);
  notice.querySelector("[data-stale-cause]").textContent = staleCause;
  for (const time of notice.querySelectorAll("[data-stale-time]")) time.dateTime = from;
  notice.querySelector("[data-since]").dataset.since = from;
  document.querySelector("#page .page-head").after(notice);
  for (const word of document.querySelectorAll("#page .pill .word, #menu .pill .word")) {
    word.textContent = `Was ${word.textContent.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}`;
  }
  for (const word of document.querySelectorAll("[data-state]")) {
    word.textContent = "Unknown";
    word.className = "state warn";
  }
  for (const control of document.querySelectorAll("[data-writes]")) setWriting(control, false);
  document.title = `✕ Not live · ${document.title.replace(/^✕ [^·]*· /, "")}`;
  showTimes(document);
}

// What was changed for the stale look is put right by the morph that follows; this undoes what the morph does not see.
function leaveStale() {
  if (!staleCause) return;
  staleCause = "";
  body.classList.remove("stale");
  document.getElementById("stale-verdict")?.remove();
  for (const control of document.querySelectorAll("[data-writes]")) setWriting(control, true);
}

function setWriting(control, allowed) {
  if (control.nodeName === "BUTTON") control.disabled = !allowed;
  else if (allowed) control.removeAttribute("aria-disabled");
  else control.setAttribute("aria-disabled", "true");
}

function pauseOrResume() {
  if (!pausedAt && (staleCause || isAway())) return refresh();
  pausedAt = pausedAt ? 0 : now();
  body.classList.toggle("paused", Boolean(pausedAt));
  tick();
  if (pausedAt) clearTimeout(timer);
  else refresh();
}

function onClick(event) {
  if (event.target.closest("[data-pause]")) return pauseOrResume();
  const control = event.target.closest("a[data-writes]");
  if (control?.getAttribute("aria-disabled") === "true") event.preventDefault();
  else if (control?.dataset.switch !== undefined && !event.ctrlKey && !event.metaKey) openSwitchDialog(event, control.href);
}

if (page()) {
  afterChange();
  setInterval(tick, 1000);
  document.addEventListener("click", onClick);
  for (const sign of ["pointerdown", "keydown"]) document.addEventListener(sign, () => { used = true; }, { passive: true });
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : pausedAt || refresh()));
  schedule(page().dataset.soon !== undefined ? SOON : every);
} else {
  showTimes(document);
}
