// Outages as bands and switches as lines over all plots, with a lane of chips above; chips that would collide become one.
import { duration } from "./times.js";

const CHIP_ROOM = 6; // px between two chips
const NARROW = 480; // px of the charts, below which a chip names only the part

export function drawMarks(host, plot, history, end, stale) {
  for (const old of host.querySelectorAll(".band, .mark-line")) old.remove();
  const box = plot.over.getBoundingClientRect();
  const left = box.left - host.getBoundingClientRect().left;
  const place = (moment) => left + Math.min(Math.max(plot.valToPos(moment, "x"), 0), box.width);
  const chips = [];
  for (const { words, from, to } of history.outages) {
    const open = to === null;
    if (from > end || (to ?? end) < history.from) continue;
    add(host, "band outage", place(from), place(open ? end : to) - place(from));
    const lasted = `${duration((to ?? history.to) - from)}${open ? " so far" : ""}`;
    const said = host.clientWidth < NARROW ? words.split(" ")[0] : `${words} ${lasted}`;
    chips.push({ kind: "outage", at: (place(from) + place(to ?? end)) / 2, words: `✕ ${said}`, what: words });
  }
  for (const { at, to } of history.switches) {
    if (at < history.from || at > end) continue;
    add(host, "mark-line", place(at), 0);
    chips.push({ kind: "switch", at: place(at), words: `⇄ ${to}`, what: "switch" });
  }
  if (stale) add(host, "band no-data", place(history.to), place(end) - place(history.to));
  layChips(host.querySelector(".chart-lane"), chips.sort((one, other) => one.at - other.at), left + box.width);
}

function add(host, kind, left, width) {
  const made = document.createElement("div");
  made.className = kind;
  made.style.left = `${left}px`; // by script, which the policy allows; no style stands in the page
  if (width) made.style.width = `${Math.max(2, width)}px`;
  host.prepend(made);
}

function layChips(lane, chips, right) {
  lane.replaceChildren();
  let last = null;
  for (const chip of chips) {
    const made = document.createElement("span");
    made.className = `chip ${chip.kind}`;
    made.textContent = chip.words;
    lane.append(made);
    const start = Math.max(0, Math.min(chip.at - made.offsetWidth / 2, right - made.offsetWidth));
    if (last && start < last.end + CHIP_ROOM) {
      made.remove();
      merge(last, chip, right);
      continue;
    }
    made.style.left = `${start}px`;
    last = { made, start, end: start + made.offsetWidth, chips: [chip] };
  }
}

function merge(last, chip, right) {
  last.chips.push(chip);
  const switches = last.chips.filter(({ kind }) => kind === "switch").length;
  const outages = last.chips.length - switches;
  const said = [];
  if (outages) said.push(outages === 1 ? last.chips.find(({ kind }) => kind === "outage").what : `${outages} outages`);
  if (switches) said.push(switches === 1 ? "1 switch" : `${switches} switches`);
  last.made.textContent = `${outages ? "✕" : "⇄"} ${said.join(", ")}`;
  last.made.className = `chip ${outages ? "outage" : "switch"}`;
  last.start = Math.max(0, Math.min(last.start, right - last.made.offsetWidth));
  last.made.style.left = `${last.start}px`;
  last.end = last.start + last.made.offsetWidth;
}
