// Formats what participants read: sizes, times, and what to do about an error.

const HINTS = {
  0: "Check that this device is online and that the API is still running.",
  400: "The model did not accept this request. Compare it with the sample.",
  401: "It may have been replaced: ask whoever runs this API for the new one.",
  403: "Your team may be allowed to call other models in the list.",
  404: "This model no longer exists. Reload the page.",
  413: "Send a smaller request: the limit is 6 MB.",
  415: "The model does not accept this type of file.",
  429: "A request limit has been reached.",
  501: "This model is not served here. Ask whoever runs the API about it.",
  502: "The model failed while it was answering. Try once more; if it fails again, tell whoever runs the API.",
  503: "It should be available again soon.",
  504: "The model took too long. Ask for less, such as a shorter answer or a smaller image.",
};

const hint = (status) => HINTS[status] ?? (status >= 500 ? HINTS[502] : HINTS[400]);

/** Returns the seconds to wait, from a Retry-After, which is a number or a date. Source: RFC 9110, section 10.2.3. */
function secondsToWait(retryAfter) {
  if (!retryAfter) return 0;
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : 0;
}

function formatDuration(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** Writes an instant in the reader's time zone, with its day where that is not today. */
function formatInstant(instant) {
  const at = new Date(instant);
  const isToday = at.toDateString() === new Date().toDateString();
  return at.toLocaleString([], isToday ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}

const formatElapsed = (since) => `${Math.round(performance.now() - since).toLocaleString("en")} ms`;

/** Returns dollars as `$0.0042` or `$3.20`: small amounts with two digits that are not 0. */
function formatDollars(amount) {
  const digits = amount > 0 && amount < 0.1 ? { maximumSignificantDigits: 2 } : {};
  return amount.toLocaleString("en-US", { style: "currency", currency: "USD", ...digits });
}

function formatSize(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
