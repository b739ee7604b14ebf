// Between rq-dashboard's scripts and ours: its POSTs carry our token, and what fails is said instead of swallowed.
(function ($) {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  $.ajaxSetup({ beforeSend: (request, { type }) => type === "GET" || request.setRequestHeader("X-CSRFToken", token) });

  function say(words) {
    const place = document.getElementById("queue-problem");
    place.lastElementChild.textContent = words;
    place.hidden = false;
  }

  $(document).ajaxError((event, answer, { type }) => {
    if (answer.status === 200) return; // it asks one address that never was: the page itself, which is no JSON
    if (type !== "GET") return say(answer.responseJSON?.detail ?? "Not done: the admin UI did not answer.");
    // Signed out, or Redis is away: the page itself says so. Without an answer nothing would.
    if (answer.status) location.reload();
    else say("The admin UI cannot be reached. What you see is old.");
  });
  $(document).ajaxSuccess((event, answer, { type }) => {
    const place = document.getElementById("queue-problem");
    if (type === "GET" && place.textContent.includes("What you see is old.")) place.hidden = true;
  });
})(jQuery);
