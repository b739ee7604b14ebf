// What the lists' forms do with script: the stretch of time, buttons that are pressed once, and retrying in batches.

// The address holds what was chosen and nothing else; days and hours are meant in the reader's zone.
function tidy(form) {
  const zone = form.querySelector("[data-zone-minutes]");
  if (zone) zone.value = ["today", "range"].includes(form.elements.when.value) ? String(-new Date().getTimezoneOffset()) : "";
  for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
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

// A batch of a hundred after the other, until all that were confirmed have been taken up.
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
      words.textContent = `${form.elements.done.value} of ${count} taken up. The next ones were not: try again.`;
      form.querySelector("button").disabled = false;
      return;
    }
    const { taken, goes_on: goesOn, address } = await answer.json();
    form.elements.done.value = String(taken);
    bar.value = taken;
    words.textContent = `${taken.toLocaleString("en-GB")} of ${count.toLocaleString("en-GB")} taken up`;
    if (!goesOn) return location.assign(address);
  }
}
