// What every page does with script. Without it every page still reads, switches and retries.
import "./vendor/htmx.js";
import "./refresh.js";
import "./dialog.js";
import "./keys.js";
import "./copy.js";
import "./notice.js";
import "./records.js";
