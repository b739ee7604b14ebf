// Between rq-dashboard's scripts and ours: its POSTs carry our token, what fails is said instead of swallowed, and times
// are told without the library that it would bring for them.
(function ($) {
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

  function relative() {
    const seconds = Math.max(0, Math.round((Date.now() - this) / 1000));
    const [unit, size] = units.find((each) => seconds >= each[1]) ?? units[3];
    const whole = Math.floor(seconds / size);
    return `${whole} ${unit}${whole === 1 ? "" : "s"} ago`;
  }

  Date.create = (value) => new Date(value);
  Object.assign(Date.prototype, {
    rewind() { return this; }, // it moves times out of UTC, where they are already
    relative,
    format() { return this.toLocaleString("en-GB"); },
  });

  const token = document.querySelector('meta[name="csrf-token"]').content;
  // In a tab that nobody sees it asks for nothing; false cancels the request, and its timers try again.
  const beforeSend = (request, { type }) => {
    if (type === "GET") return !document.hidden;
    request.setRequestHeader("X-CSRFToken", token);
  };
  $.ajaxSetup({ beforeSend });

  // It names its fields by title alone, which not every reader is told.
  for (const field of document.querySelectorAll(".queue-content :is(input, select)[title]")) {
    field.setAttribute("aria-label", field.title);
  }

  function say(words) {
    const place = document.getElementById("queue-problem");
    place.lastElementChild.textContent = words;
    place.hidden = false;
  }

  $(document).ajaxError((event, answer, { type }) => {
    if (answer.statusText === "canceled") return;
    if (answer.status === 401) return location.reload(); // signed out: it leads to the sign-in, whatever was asked
    if (type !== "GET") return say(answer.responseJSON?.detail ?? "Not done: the admin UI did not answer.");
    // Signed out, or Redis is away: the page itself says so. Without an answer nothing would.
    if (answer.status) location.reload();
    else say("The admin UI cannot be reached. What you see is old.");
  });
  $(document).ajaxSuccess((event, answer, { type }) => {
    const place = document.getElementById("queue-problem");
    if (type === "GET" && place.textContent.includes("What you see is old.")) place.hidden = true;
  });
  // Whoever comes back after the end of the session sees that at once, and not what the page showed before.
  document.addEventListener("visibilitychange", () => document.hidden || $.getJSON(url_for("queues")));
})(jQuery);
