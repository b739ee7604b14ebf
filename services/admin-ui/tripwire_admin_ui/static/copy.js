// Buttons that copy what another element shows.
const SAID_FOR = 2000; // milliseconds

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const words = button.lastElementChild;
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
    words.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source); // no leave to write: at least it is marked for the reader's own copy
    words.textContent = "Selected: press Ctrl+C";
  }
  setTimeout(() => { words.textContent = "Copy"; }, SAID_FOR);
});
