// Times in the reader's zone, ages and running clocks. The server sends UTC; its clock counts, not the browser's.

let ahead = 0; // milliseconds that the server's clock is ahead of ours

export function serverTimeIs(iso) {
  const moment = Date.parse(iso);
  if (!Number.isNaN(moment)) ahead = moment - Date.now();
}

export function now() {
  return Date.now() + ahead;
}

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  for (const [size, name, smaller, smallerName] of [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]]) {
    if (whole < size) continue;
    const rest = Math.floor((whole % size) / smaller);
    return `${Math.floor(whole / size)} ${name}` + (rest ? ` ${rest} ${smallerName}` : "");
  }
  return `${whole} s`;
}

export function clock(moment) {
  return new Date(moment).toLocaleTimeString("en-GB");
}

function stamp(moment) {
  const date = new Date(moment);
  if (date.toDateString() === new Date(now()).toDateString()) return clock(moment);
  return `${day(date)}, ${date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`;
}

// With its year where that is not this one.
function day(date) {
  const year = date.getFullYear() === new Date(now()).getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString("en-GB", { day: "numeric", month: "short", year });
}

// Within a sentence: `today at 14:02`, `on 19 Nov at 09:40`.
function dayAt(moment) {
  const date = new Date(moment);
  const at = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (date.toDateString() === new Date(now()).toDateString()) return `today at ${at}`;
  return `on ${day(date)} at ${at}`;
}

function precise(moment) {
  return `${clock(moment)}.${String(new Date(moment).getMilliseconds()).padStart(3, "0")}`;
}

function say(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

// Everything that is true for longer than a second; call it after each change of the page.
export function showTimes(root) {
  for (const time of root.querySelectorAll("time[data-clock][datetime]")) say(time, clock(time.dateTime));
  for (const time of root.querySelectorAll("time[data-stamp][datetime]")) say(time, stamp(time.dateTime));
  for (const time of root.querySelectorAll("time[data-day-at][datetime]")) say(time, dayAt(time.dateTime));
  for (const time of root.querySelectorAll("time[data-precise][datetime]")) say(time, precise(time.dateTime));
  const minutes = -new Date().getTimezoneOffset();
  const hours = String(Math.floor(Math.abs(minutes) / 60)).padStart(2, "0");
  const zone = `${minutes < 0 ? "−" : "+"}${hours}:${String(Math.abs(minutes) % 60).padStart(2, "0")}`;
  for (const words of document.querySelectorAll("[data-zone]")) say(words, `Times are in your time zone, UTC${zone}.`);
}

// What changes each second. On a stale page a figure has the time it is from, no age that runs.
export function showAges(root, ageingAfter, stale) {
  let oldest = 0;
  for (const time of root.querySelectorAll("time[data-age]")) {
    const seconds = Math.max(0, (now() - Date.parse(time.dateTime)) / 1000);
    oldest = Math.max(oldest, seconds);
    const old = seconds > ageingAfter ? `${duration(seconds)} old` : `${duration(seconds)} ago`;
    say(time, stale ? `at ${clock(time.dateTime)}` : old);
  }
  document.body.classList.toggle("ageing", !stale && oldest > ageingAfter);
  for (const element of root.querySelectorAll("[data-since]")) {
    const began = Date.parse(element.dataset.since);
    if (!Number.isNaN(began)) say(element, duration((now() - began) / 1000));
  }
  for (const element of root.querySelectorAll("[data-until]")) {
    const left = (Date.parse(element.dataset.until) - now()) / 1000;
    if (!Number.isNaN(left)) say(element, left >= 1 ? `in ${duration(left)}` : "any moment");
  }
}
