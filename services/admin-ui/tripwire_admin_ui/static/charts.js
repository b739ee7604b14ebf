// History: three plots on one time axis, with outages as bands and switches as marks over all of them.
import { readPaint } from "./chart_paint.js";
import { drawMarks } from "./chart_marks.js";
import { showReadout } from "./chart_readout.js";
import { splits, timeWords, top } from "./chart_scale.js";
import { readHistory } from "./history.js";
import { now } from "./times.js";

const LEFT = 44; // room for the numbers at the left
const BAR = 0.72; // of a bucket's width
const PLOTS = [
  { name: "columns", title: (unit) => `Provisioned ${unit}`, height: 130 },
  { name: "failed", title: (unit) => `Failed ${unit}`, height: 30 },
  { name: "seconds", title: () => "Accepted to provisioned, seconds", height: 104 },
];

const host = document.getElementById("charts");
let plots = [];
let built = "";
let history = null;
let paint = null;
let stale = false;

export function draw(options = {}) {
  history = readHistory();
  stale = Boolean(options.stale);
  if (!host || !history) return;
  paint = readPaint();
  // Another window, another scheme: everything anew. Otherwise only the numbers.
  const kind = `${history.bucket} ${paint.surface}`;
  if (kind !== built) build(kind);
  sayFailures();
  for (const [place, plot] of plots.entries()) plot.setData(dataOf(PLOTS[place].name), true);
}

function end() {
  return stale ? Math.max(history.to, now() / 1000) : history.to;
}

function build(kind) {
  for (const plot of plots) plot.destroy();
  host.replaceChildren();
  host.append(element("div", "chart-lane"));
  plots = PLOTS.map((which, place) => {
    const title = element("h3", "chart-title");
    title.textContent = which.title(host.dataset.unit);
    const box = element("div", `chart ${which.name}`);
    host.append(title, box);
    return new window.uPlot(optionsOf(which, place === PLOTS.length - 1), dataOf(which.name), box);
  });
  host.append(element("div", "chart-readout"));
  built = kind;
}

function element(name, kind) {
  const made = document.createElement(name);
  made.className = kind;
  return made;
}

function sayFailures() {
  const title = host.querySelectorAll(".chart-title")[1];
  const none = !history.rows.some((row) => row.failed);
  const measured = history.rows.some((row) => row.failed !== null);
  title.textContent = PLOTS[1].title(host.dataset.unit);
  if (!none) return;
  const quiet = element("span", "muted");
  quiet.textContent = measured ? ` none in this ${host.dataset.windowWords}` : " not measured";
  title.append(quiet);
}

function dataOf(name) {
  const of = (read) => history.rows.map(read);
  const at = of((row) => row.at);
  if (name === "columns") return [at, of((row) => (row.queue === null ? null : row.queue + row.fallback + row.direct))];
  if (name === "failed") return [at, of((row) => row.failed)];
  return [at, of((row) => row.p50), of((row) => row.p95)];
}

function optionsOf({ name, height }, last) {
  const whole = name !== "seconds";
  const font = `12px ${paint.sans}`;
  return {
    width: host.clientWidth,
    height: height + (last ? 36 : 18),
    padding: [name === "failed" ? 14 : 8, 18, last ? 0 : 8, 0], // numbers and times at the edges stay whole
    legend: { show: false },
    cursor: { sync: { key: "history" }, drag: { x: false, y: false }, points: { show: false }, y: false },
    scales: {
      x: { time: true, range: () => [history.from, end()] },
      y: { range: (_, low, high) => [0, name === "failed" ? Math.max(1, high || 0) : top(high || 0, whole)] },
    },
    axes: [
      {
        show: last, stroke: paint.muted, font, size: 26, gap: 4, space: 70,
        grid: { show: false }, ticks: { stroke: paint.axis, size: 4, width: 1 },
        values: (_, moments) => timeWords(moments, history.to - history.from),
      },
      {
        stroke: paint.muted, font, size: LEFT, gap: 8,
        grid: { stroke: paint.line, width: 1 }, ticks: { show: false },
        splits: (_, axis, low, high) => (name === "failed" ? [0] : splits(high, whole)),
        values: (_, numbers) => numbers.map((one) => one.toLocaleString("en-GB")),
      },
    ],
    series: [{}, ...seriesOf(name)],
    hooks: {
      draw: [
        (plot) => (whole ? drawColumns(plot, name) : drawGaps(plot)),
        drawBase,
        (plot) => last && drawMarks(host, plot, history, end(), stale), // now that the scale is known
      ],
      setCursor: last ? [(plot) => showReadout(host, plot, history)] : [],
    },
  };
}

function seriesOf(name) {
  if (name !== "seconds") return [{ paths: () => null, points: { show: false } }];
  const line = { spanGaps: false, points: { show: true, size: 4, filter: lonely } };
  return [{ ...line, stroke: paint.accent, width: 1.75 }, { ...line, stroke: paint.text, width: 1.5, dash: [4, 3] }];
}

// A bucket between two without numbers would be a line of no length: it is a dot.
function lonely(plot, series) {
  const { [series]: values } = plot.data;
  return values.flatMap((value, at) => (value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null ? [at] : []));
}

// Stacked columns by way; the bucket that is still running is hollow, one without numbers is hatched.
function drawColumns(plot, name) {
  const ways = name === "failed" ? ["failed"] : ["queue", "fallback", "direct"];
  const pen = plot.ctx;
  pen.save();
  for (const row of history.rows) {
    const { left, width } = span(plot, row);
    if (row[ways[0]] === null) { hatch(plot, row); continue; }
    let sum = 0;
    for (const way of ways) {
      if (!row[way]) continue;
      const bottom = plot.valToPos(sum, "y", true);
      const height = bottom - plot.valToPos(sum += row[way], "y", true);
      column(pen, [left, bottom - height, width, height], way, row.at + history.bucket > history.to);
    }
    if (name === "failed" && row.failed) label(plot, row.failed, left + width + 4 * devicePixelRatio);
  }
  pen.restore();
}

function column(pen, [left, high, width, height], way, running) {
  if (running) {
    pen.strokeStyle = paint.colours[way];
    pen.lineWidth = devicePixelRatio;
    pen.strokeRect(left + 0.5, high + 0.5, width - 1, Math.max(1, height - 1));
  } else {
    pen.fillStyle = paint.fills[way];
    pen.fillRect(left, high, width, height);
  }
}

function label(plot, count, left) {
  const pen = plot.ctx;
  pen.fillStyle = paint.text;
  pen.font = `600 ${12 * devicePixelRatio}px ${paint.sans}`;
  pen.textAlign = "left";
  pen.textBaseline = "bottom";
  pen.fillText(String(count), left, plot.bbox.top + plot.bbox.height - 2 * devicePixelRatio);
}

function span(plot, row) {
  const from = plot.valToPos(row.at, "x", true);
  const whole = plot.valToPos(row.at + history.bucket, "x", true) - from;
  const left = Math.round(Math.max(from, plot.bbox.left) + (whole * (1 - BAR)) / 2);
  const room = plot.bbox.left + plot.bbox.width - left; // the bucket that is still running ends beyond the edge
  return { left, width: Math.max(2, Math.min(Math.round(whole * BAR), room)) };
}

function drawGaps(plot) {
  for (const row of history.rows) if (row.queue === null) hatch(plot, row);
}

function hatch(plot, row) {
  const left = Math.max(plot.valToPos(row.at, "x", true), plot.bbox.left);
  const right = Math.min(plot.valToPos(row.at + history.bucket, "x", true), plot.bbox.left + plot.bbox.width);
  plot.ctx.fillStyle = paint.fills.missing;
  plot.ctx.fillRect(left, plot.bbox.top, Math.max(0, right - left), plot.bbox.height);
}

function drawBase(plot) {
  const { left, top: high, width, height } = plot.bbox;
  plot.ctx.fillStyle = paint.axis;
  plot.ctx.fillRect(left, high + height - devicePixelRatio, width, devicePixelRatio);
}

if (host) {
  new ResizeObserver(() => {
    for (const plot of plots) plot.setSize({ width: host.clientWidth, height: plot.height });
  }).observe(host);
}
