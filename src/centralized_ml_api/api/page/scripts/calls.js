// Calls the API that served this page.

const BASE = location.origin + location.pathname.replace(/(\/join)?\/?$/, "/");
const KEY_ITEM = "mlapi-key";
const DONE = "[DONE]";

/** The team's key: in this tab, or in this browser if the participant wants that. */
const key = {
  get: () => sessionStorage.getItem(KEY_ITEM) ?? localStorage.getItem(KEY_ITEM) ?? "",
  set(value, { isKept = false } = {}) {
    key.forget();
    (isKept ? localStorage : sessionStorage).setItem(KEY_ITEM, value);
  },
  forget() {
    sessionStorage.removeItem(KEY_ITEM);
    localStorage.removeItem(KEY_ITEM);
  },
};

/** Returns a part of an address decoded; as it stands where its percent signs encode nothing. */
function decodePart(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Takes the key of an address such as `/#key=…` out of the address, so that it is in no history. */
function takeKeyFromAddress() {
  const found = /^#key=(.+)$/.exec(location.hash);
  if (!found) return;
  key.set(decodePart(found[1]));
  history.replaceState(null, "", location.pathname);
}

/** A call that failed, with the API's own message where there is one; `status` is 0 without a response. */
class CallError extends Error {
  constructor(message, { status = 0, code = "", requestId = "", retryAfter = "", ends = "", mayRetry = true } = {}) {
    super(message);
    Object.assign(this, { status, code, requestId, retryAfter, ends, mayRetry });
  }
}

/** Builds a request as data: the same for sending it and for showing it as code. */
function buildRequest(path, { body, type = "application/json", accept = "application/json", file = null } = {}) {
  return { path, body, type, accept, file };
}

function requestHeaders(request) {
  return {
    ...(key.get() ? { "x-api-key": key.get() } : {}),
    ...(request.body === undefined ? {} : { "Content-Type": request.type }),
    Accept: request.accept,
  };
}

/** Sends a request. Returns the response if it is 2xx; throws a CallError otherwise. */
async function send(request, signal) {
  const method = request.body === undefined ? "GET" : "POST";
  const url = BASE + request.path.replace(/^\//, "");
  const headers = requestHeaders(request);
  let response;
  try {
    response = await fetch(url, { method, headers, body: request.body, signal, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new CallError("The API could not be reached.", { code: "unreachable" });
  }
  if (response.ok) return response;
  throw await readError(response);
}

async function readError(response) {
  const text = await response.text();
  const body = parseJson(text);
  const error = body?.error;
  // Where this API has the message, then where model servers commonly have it.
  const message = [error?.message, error, body?.detail, body?.message].find((value) => typeof value === "string");
  return new CallError(forPeople(error?.code, (message ?? text) || response.statusText), {
    status: response.status,
    code: error?.code ?? "",
    requestId: response.headers.get("x-request-id") ?? error?.request_id ?? "",
    retryAfter: response.headers.get("retry-after") ?? "",
    ends: response.headers.get("x-event-ends") ?? "",
    mayRetry: response.headers.get("x-should-retry") !== "false",
  });
}

/** Returns a message without what is for programs: how keys are sent, and which header says how long to wait. */
function forPeople(code, message) {
  if (code === "unauthorized") return "No team has this key any more.";
  return message.replace("; try again after the time given in Retry-After", "");
}

/** Returns the value of a JSON text; undefined if it is not JSON. */
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Yields the data of each server-sent event as it arrives.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
async function* readServerSentEvents(response) {
  let buffer = "";
  for await (const text of readTexts(response)) {
    const blocks = (buffer + text).split(/\r\n\r\n|\n\n|\r\r/);
    buffer = blocks.pop();
    for (const block of blocks) {
      const lines = block.split(/\r\n|\n|\r/).filter((line) => line.startsWith("data:"));
      if (lines.length) yield lines.map((line) => line.slice(5).replace(/^ /, "")).join("\n");
    }
  }
}

/** Yields the text of a response as it arrives. */
async function* readTexts(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield value;
  }
}
