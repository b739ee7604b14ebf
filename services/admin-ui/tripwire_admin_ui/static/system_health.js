// System Health beside what every page does: the charts.
import { draw } from "./charts.js";

const isRefresh = (event) => event.target.id === "refresh";
document.addEventListener("htmx:after:swap", (event) => isRefresh(event) && draw());
document.addEventListener("tripwire:stale", () => draw({ stale: true }));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
draw();
