// Renews a page every few seconds by asking for it again, and says honestly when that fails. htmx fetches and morphs
// (focus, scroll, selection and what is unfolded stay); when to ask, and what an answer is worth, is decided here.
import htmx from "./vendor/htmx.js";
import { prepare } from "./prepare.js";
import { clock, duration, now, serverTimeIs, showAges, showTimes } from "./times.js";

const TRY_FOR = 4000; // milliseconds: the server gives the API less, but for what says how much longer it may take
const SOON = 1000; // while receipts of a switch come in
const CAUSES = { 503: "The API cannot be reached.", 504: "The API did not answer in time." };
const PAUSE_SHAPE = "M5.4 3v10M10.6 3v10";
const NO_NAME = /^(?!Redis|Telegram|PostgreSQL)[A-Z](?=[a-z])/; // the first letter of a word that is not a name
const AGAIN_SHAPE = "M5 2.8 12.6 8 5 13.2Z";

const body = document.body;
const asker = document.getElementById("refresh");
const renewed = asker?.getAttribute("hx-target"); // the page as a whole, or what it says of the system
const every = Number(body.dataset.refresh) * 1000;
const ageingAfter = Number(body.dataset.ageingAfter);
const page = () => document.getElementById("page-state"); // from when the page is

let timer = 0;
let pausedAt = 0;
let staleCause = "";
let titleBefore = "";
let used = false; // whether the reader did anything since the last refresh

htmx.registerExtension("reader", {
  // Whether something is unfolded is the reader's choice, not the server's.
  htmx_before_morph_attr: (element, { attrName }) => !(element.nodeName === "DETAILS" && attrName === "open"),
  // What leads on from a list that the reader has prolonged stays, as long as that list is there.
  htmx_before_morph_node: ({ dataset }) => !(dataset?.skipWhile && document.getElementById(dataset.skipWhile)?.firstChild),
});

function isAway() {
  return page().dataset.away !== undefined; // the page itself came while the API was away: nothing has been seen yet
}

function schedule() {
  clearTimeout(timer);
  const after = page().dataset.soon !== undefined && !staleCause ? SOON : every;
  if (!pausedAt && !document.hidden) timer = setTimeout(refresh, after);
}

export function refresh() {
  clearTimeout(timer);
  htmx.trigger(asker, "renew");
}

// Every request of htmx, also those that are no refresh: the server answers with the fragment, and never with a redirect.
function configure({ target, detail: { ctx } }) {
  const isRefresh = target === asker;
  const patience = target.dataset.patience ? Number(target.dataset.patience) * 1000 : TRY_FOR;
  ctx.request.headers["Tripwire-Refresh"] = used || !isRefresh ? "used" : "idle";
  ctx.request.headers["Tripwire-For"] = body.dataset.reader; // 401 where somebody else has signed in beside this page
  Object.assign(ctx.request, { timeout: patience, cache: "no-store", redirect: "error" });
}

function onAnswer(event) {
  const { status } = event.detail.ctx.response;
  // A form's answer must not be asked for again: that would send the form.
  if (status === 401 || status === 403) return asker.dataset.answer === undefined ? location.reload() : location.assign(asker.getAttribute("hx-get"));
  if (status >= 400) {
    event.preventDefault();
    goStale(CAUSES[status] ?? "The admin UI failed.");
  }
}

function onSwap(event) {
  for (const { fragment } of event.detail.tasks) prepare(fragment);
  if (event.target !== asker) return;
  if (pausedAt) return event.preventDefault(); // paused while it was under way: what is seen stays
  used = false;
  leaveStale();
  for (const { fragment } of event.detail.tasks) {
    for (const list of fragment.querySelectorAll("[data-rows]")) compareRows(document.getElementById(list.id), list);
  }
}

// Marks the rows that are new. Those that fell out at the end go over to the older ones that the reader has asked for.
function compareRows(old, fresh) {
  if (!old?.childElementCount) return;
  for (const row of fresh.children) row.classList.toggle("new", !document.getElementById(row.id));
  const older = document.getElementById(fresh.dataset.overflow);
  if (!older?.childElementCount) return;
  const stay = new Set([...fresh.children].map((row) => row.id));
  older.prepend(...[...old.children].filter((row) => !stay.has(row.id)));
}

function afterChange() {
  serverTimeIs(page().dataset.live);
  body.classList.toggle("away", isAway());
  if (isAway()) stopWriting();
  else allowWriting();
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
  if (!control) return; // the Queue page has a control of its own
  const say = (element, text) => element.textContent === text || (element.textContent = text);
  say(control.querySelector("[data-live-words]"), words);
  for (const button of document.querySelectorAll("[data-pause]")) say(button.lastElementChild, action);
  for (const icon of document.querySelectorAll("[data-pause-icon]")) icon.setAttribute("d", shape);
}

function goStale(cause) {
  if (pausedAt || isAway()) return;
  const before = staleCause;
  staleCause = cause;
  if (!before) markStale();
  for (const words of document.querySelectorAll("[data-stale-cause]")) words.textContent = cause;
  tick();
  document.dispatchEvent(new CustomEvent("tripwire:stale"));
}

function markStale() {
  body.classList.add("stale");
  const from = page().dataset.live;
  const notice = document.getElementById("stale").content.cloneNode(true);
  for (const time of notice.querySelectorAll("[data-stale-time]")) time.dateTime = from;
  notice.querySelector("[data-since]").dataset.since = from;
  const question = notice.querySelector(".verdict-icon path").getAttribute("d");
  for (const pill of document.querySelectorAll(`${renewed} .pill:not(.settled), #menu .pill`)) {
    const word = pill.querySelector(".word");
    word.textContent = `Was ${word.textContent.replace(NO_NAME, (letter) => letter.toLowerCase())}`;
    pill.querySelector("path")?.setAttribute("d", question);
  }
  document.querySelector("#page .page-head").after(notice);
  for (const words of document.querySelectorAll("[data-stale-words]")) {
    words.textContent = words.dataset.staleWords.replace("{time}", clock(from));
  }
  for (const word of document.querySelectorAll("[data-state]")) {
    word.textContent = "Unknown";
    word.className = "state warn";
  }
  stopWriting();
  titleBefore = document.title;
  document.title = `✕ Not live · ${titleBefore.replace(/^✕ [^·]*· /, "")}`;
  showTimes(document);
}

// What was changed for the stale look is put right by the morph that follows; this undoes what the morph does not see.
function leaveStale() {
  if (!staleCause) return;
  staleCause = "";
  body.classList.remove("stale");
  document.getElementById("stale-verdict")?.remove();
  document.title = titleBefore;
}

// Nothing can be changed without the API. What could not be pressed before stays so afterwards.
function stopWriting() {
  for (const control of document.querySelectorAll("[data-writes]:not(:disabled, [aria-disabled])")) {
    control.dataset.stopped = "";
    if (control.nodeName === "BUTTON") control.disabled = true;
    else control.setAttribute("aria-disabled", "true");
  }
}

function allowWriting() {
  for (const control of document.querySelectorAll("[data-stopped]")) {
    delete control.dataset.stopped;
    control.disabled = false;
    control.removeAttribute("aria-disabled");
  }
}

export function pauseOrResume() {
  if (!pausedAt && (staleCause || isAway())) return refresh();
  pausedAt = pausedAt ? 0 : now();
  body.classList.toggle("paused", Boolean(pausedAt));
  tick();
  if (pausedAt) clearTimeout(timer);
  else refresh();
}

function onClick(event) {
  if (event.target.closest("[data-pause]")) return pauseOrResume();
  if (event.target.closest("a[data-writes]")?.getAttribute("aria-disabled") === "true") {
    event.preventDefault();
    event.stopPropagation();
  }
}

prepare(document);
document.addEventListener("htmx:config:request", configure);
document.addEventListener("htmx:before:swap", onSwap);
if (page() && asker) {
  afterChange();
  setInterval(tick, 1000);
  document.addEventListener("click", onClick, { capture: true }); // before htmx sees it
  for (const sign of ["pointerdown", "keydown"]) document.addEventListener(sign, () => { used = true; }, { passive: true });
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : pausedAt || refresh()));
  asker.addEventListener("htmx:before:response", onAnswer);
  asker.addEventListener("htmx:after:swap", afterChange);
  asker.addEventListener("htmx:error", () => goStale("The admin UI cannot be reached."));
  asker.addEventListener("htmx:finally:request", schedule);
  schedule();
}
