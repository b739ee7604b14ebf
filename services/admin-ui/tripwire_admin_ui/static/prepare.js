// Makes what came from the server fit this reader: times in their zone, and what only works with script shown. Done to the
// page as it comes and to each fragment before it is put in, so that a refresh changes only what is really different.
import { showTimes } from "./times.js";

export function prepare(root) {
  for (const element of root.querySelectorAll("[data-without-script]")) element.hidden = true;
  for (const element of root.querySelectorAll("[data-with-script], #live")) element.hidden = false;
  for (const element of root.querySelectorAll("[data-open-without-script]")) element.open = false;
  showTimes(root);
}
