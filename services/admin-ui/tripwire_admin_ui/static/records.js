// What the lists' forms do with script: the stretch of time, buttons that are pressed once, and retrying in batches.

// Minutes that the reader's clock is ahead of UTC, at a time of an entry field or now.
function offsetAt(local) {
  const moment = local ? new Date(local) : new Date();
  return -(Number.isNaN(moment.getTime()) ? new Date() : moment).getTimezoneOffset();
}

// The same moment as an entry field shows it where clocks are `to` minutes ahead of UTC instead of `from`.
function moved(local, from, to) {
  const moment = Date.parse(`${local}Z`);
  return Number.isNaN(moment) ? local : new Date(moment + (to - from) * 60_000).toISOString().slice(0, 16);
}

// The address holds what was chosen and nothing else; days and hours are meant in the reader's zone as it was then.
function tidy(form) {
  const { zone, when, from, to } = form.elements;
  if (zone) zone.value = when.value === "today" ? offsetAt() : when.value === "range" ? offsetAt(from.value || to.value) : "";
  if (when?.value === "range" && to.value) to.value = moved(to.value, offsetAt(to.value), Number(zone.value));
  for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
}

// The link of a colleague in another zone: the same moments, as this reader's clock shows them.
for (const { form, value } of document.querySelectorAll("[data-zone-minutes]")) {
  for (const field of form.querySelectorAll("[data-range] input:enabled")) {
    if (!field.value) continue;
    const there = Date.parse(`${field.value}Z`) - Number(value) * 60_000;
    field.value = moved(field.value, Number(value), offsetAt(new Date(there)));
  }
}

document.addEventListener("change", ({ target }) => {
  if (!target.matches?.("[data-span]")) return;
  const range = target.form.querySelector("[data-range]");
  range.hidden = target.value !== "range";
  for (const field of range.querySelectorAll("input")) field.disabled = range.hidden;
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "get") return tidy(form);
  if (form.dataset.retryAll !== undefined) return retryAll(event, form);
  const button = form.dataset.once !== undefined && form.querySelector("button:not([type=button])");
  if (!button) return;
  button.querySelector("span").textContent = form.dataset.once;
  setTimeout(() => { button.disabled = true; }); // after the form has gone
});

// The answer to a form that shows what no other page does: loaded again, or come back to, it must be an ordinary page.
for (const { dataset } of document.querySelectorAll("[data-address]")) history.replaceState(null, "", dataset.address);

// A page that comes back from the browser's memory must be usable again.
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

// A batch of a hundred after the other, until all that were confirmed have been queued for retry.
async function retryAll(event, form) {
  event.preventDefault();
  const [bar, words] = form.querySelector("[data-progress]").children;
  const count = Number(form.elements.count.value);
  form.querySelector("[data-progress]").hidden = false;
  form.querySelector("button").disabled = true;
  for (;;) {
    let answer;
    try {
      const headers = { Accept: "application/json" };
      answer = await fetch(form.action, { method: "POST", headers, body: new FormData(form), redirect: "error" });
      if (answer.status === 401) return location.reload();
      if (!answer.ok) throw new Error(String(answer.status));
    } catch {
      words.textContent = `${form.elements.done.value} of ${count} queued for retry. The next ones were not: try again.`;
      form.querySelector("button").disabled = false;
      return;
    }
    const { taken, goes_on: goesOn, address } = await answer.json();
    form.elements.done.value = String(taken);
    bar.value = taken;
    words.textContent = `${taken.toLocaleString("en-GB")} of ${count.toLocaleString("en-GB")} queued for retry`;
    if (!goesOn) return location.assign(address);
  }
}
