// What came of a form stands at the top of the page, with the focus: that is what reads it out. It goes when it is closed.
const notice = document.getElementById("notice");

notice?.querySelector("#notice-words")?.focus();
notice?.querySelector("[data-close-notice]")?.addEventListener("click", () => {
  notice.replaceChildren();
  document.getElementById("main").focus();
});
