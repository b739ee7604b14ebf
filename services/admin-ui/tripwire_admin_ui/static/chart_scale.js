// The scales: from 0, in steps of 1, 2 or 5, at most four of them; times in the reader's zone.

export function step(max, whole) {
  let size = 10 ** Math.floor(Math.log10(max / 4 || 1));
  if (whole) size = Math.max(1, size);
  const factor = [1, 2, 5, 10].find((one) => max / (size * one) <= 4) ?? 10;
  return size * factor;
}

export function top(max, whole) {
  if (!max) return 1;
  const size = step(max, whole);
  return Math.ceil(max / size) * size;
}

export function splits(max, whole) {
  const size = step(max, whole);
  return Array.from({ length: Math.round(max / size) + 1 }, (_, place) => Number((place * size).toPrecision(6)));
}

export function timeWords(moments, window) {
  const options = window > 2 * 86400 ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" };
  return moments.map((moment) => new Date(moment * 1000).toLocaleString("en-GB", options));
}
