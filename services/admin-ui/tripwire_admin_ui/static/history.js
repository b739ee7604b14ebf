// Reads the table and the marks of “History”: the charts have no numbers of their own.

const number = (text) => (text.trim() === "–" ? null : Number(text));
const seconds = (iso) => Date.parse(iso) / 1000;

export function readHistory() {
  const table = document.getElementById("history-table");
  if (!table) return null;
  const rows = [...table.tBodies[0].rows].map((row) => {
    const [queue, fallback, direct, failed, p50, p95] = [...row.cells].slice(1).map((cell) => number(cell.textContent));
    return { at: seconds(row.querySelector("time").dateTime), queue, fallback, direct, failed, p50, p95 };
  });
  const marks = [...document.querySelectorAll("#marks > li")];
  return {
    rows,
    bucket: Number(table.dataset.bucket),
    from: seconds(table.dataset.from),
    to: seconds(table.dataset.to),
    outages: marks.filter((mark) => mark.dataset.outage).map(({ dataset }) => ({
      words: dataset.outage,
      from: seconds(dataset.from),
      to: dataset.to ? seconds(dataset.to) : null,
    })),
    switches: marks.filter((mark) => mark.dataset.switch).map(({ dataset }) => ({ to: dataset.switch, at: seconds(dataset.from) })),
  };
}
