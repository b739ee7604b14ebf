// What the charts say where the pointer is: time, each number, and what outage it was.

const UNKNOWN = "not measured";

export function showReadout(host, plot, history) {
  const box = host.querySelector(".chart-readout");
  const { idx, left } = plot.cursor;
  const row = idx === null || idx === undefined ? null : history.rows[idx];
  box.classList.toggle("shown", Boolean(row) && left >= 0);
  if (!row || left < 0) return;
  box.replaceChildren(...lines(row, history).map(([name, words]) => line(name, words)));
  const inside = plot.over.offsetLeft + left;
  const beyond = inside + box.offsetWidth + 24 > host.clientWidth;
  box.style.left = `${beyond ? inside - box.offsetWidth - 12 : inside + 12}px`;
}

function lines(row, history) {
  const time = (moment) => new Date(moment * 1000).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const said = [["", time(row.at)]];
  if (row.queue === null) return [...said, ["", UNKNOWN]];
  for (const [name, key] of [["Queue", "queue"], ["Fallback", "fallback"], ["Direct", "direct"], ["Failed", "failed"]]) {
    if (row[key]) said.push([name, row[key].toLocaleString("en-GB")]);
  }
  if (said.length === 1) said.push(["", "nothing provisioned"]);
  for (const [name, key] of [["Half faster than", "p50"], ["95 of 100 faster than", "p95"]]) {
    if (row[key] !== null) said.push([name, `${row[key]} s`]);
  }
  const until = row.at + history.bucket;
  for (const { words, from, to } of history.outages) if (from < until && (to ?? history.to) > row.at) said.push(["", words]);
  return said;
}

function line(name, words) {
  const made = document.createElement("p");
  const strong = document.createElement("strong");
  strong.textContent = words;
  made.append(...(name ? [`${name} `, strong] : [strong]));
  return made;
}
