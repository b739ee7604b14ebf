// Keyboard shortcuts: `g` and a letter leads to a page, `/` searches, `p` pauses, `?` lists them. Off while typing, and
// where the reader has turned them off. Never one for the switch. On a layout without Latin letters the key counts that
// stands in the same place.
import { pauseOrResume } from "./refresh.js";

const STORED = "tripwire-keys";
const LEADER_HOLDS = 1500; // milliseconds between `g` and the letter

const list = document.getElementById("shortcuts");
let leaderAt = 0;

function areOn() {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true; // storage is forbidden here: nothing can be remembered
  }
}

function isTyping(element) {
  return element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.nodeName);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
  if (!areOn() || document.querySelector("dialog[open]")) return;
  const led = Date.now() - leaderAt < LEADER_HOLDS;
  leaderAt = 0;
  const key = latin(event);
  const act = led ? leadTo(key) : ACTIONS[key];
  if (!act) return;
  event.preventDefault();
  act();
}

const ACTIONS = {
  g: () => { leaderAt = Date.now(); },
  "/": () => document.querySelector("main [data-search]")?.focus(),
  p: () => document.getElementById("live") && pauseOrResume(),
  "?": () => list.showModal(),
};

// `п` of a Russian layout is `g`. Where the layout has Latin letters its own signs count, wherever they stand.
function latin({ key, code, shiftKey }) {
  if (code === "Slash" && [".", ",", "№"].includes(key)) return shiftKey ? "?" : "/";
  return /^[^ -~]$/u.test(key) && /^Key[A-Z]$/.test(code) ? code.at(-1).toLowerCase() : key;
}

function leadTo(key) {
  const link = [...document.querySelectorAll("#menu [data-key]")].find((one) => one.dataset.key === key);
  return link && (() => link.click());
}

if (list) {
  const choice = list.querySelector("[data-keys-on]");
  choice.checked = areOn();
  choice.addEventListener("change", () => {
    try {
      localStorage.setItem(STORED, choice.checked ? "on" : "off");
    } catch {
      choice.checked = true;
    }
  });
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-shortcuts]")) return;
    event.preventDefault();
    list.showModal();
  });
}
