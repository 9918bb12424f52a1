// What people read: sizes, times, and what to do about an error.

const HINTS = {
  0: "Is this machine still on the network, and is the API still running?",
  400: "The model did not take this request. Compare it with the sample.",
  401: "Enter your team's key at the top of this page.",
  403: "Other models of the list may be open to your team.",
  404: "This model is gone. Reload the page.",
  413: "Send something smaller; the API takes 6 MB.",
  415: "The model does not take this kind of file.",
  429: "Your team sent as much as it may for now.",
  501: "Whoever runs the API has not set this model up here.",
  502: "The model failed while it answered. Try once more; if it stays so, tell whoever runs the API.",
  503: "It will be back shortly.",
  504: "The model took too long. Ask for less: a shorter answer, a smaller image.",
};

const hint = (status) => HINTS[status] ?? (status >= 500 ? HINTS[502] : HINTS[400]);

/** Seconds to wait from a Retry-After, which is a number or a date. Source: RFC 9110, section 10.2.3. */
function secondsToWait(retryAfter) {
  if (!retryAfter) return 0;
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : 0;
}

function duration(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

const milliseconds = (since) => `${Math.round(performance.now() - since).toLocaleString("en")} ms`;

function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
