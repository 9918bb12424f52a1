// Calls to the API that served this page. The key stays in this tab.

const BASE = location.origin + location.pathname.replace(/\/?$/, "/");
const KEY_PLACE = "mlapi-key";
const DONE = "[DONE]";

const key = {
  get: () => sessionStorage.getItem(KEY_PLACE) ?? "",
  set: (value) => sessionStorage.setItem(KEY_PLACE, value),
};

/** An answer that is an error, in the API's own words where it has some. */
class CallError extends Error {
  constructor(message, { status = 0, code = "", requestId = "", retryAfter = "" } = {}) {
    super(message);
    Object.assign(this, { status, code, requestId, retryAfter });
  }
}

/** A request as data, so that what is sent and what the snippets show is the same thing. */
function request(path, { body, type = "application/json", accept = "application/json", file = null } = {}) {
  return { path, body, type, accept, file };
}

function headersOf(call) {
  return {
    ...(key.get() ? { "x-api-key": key.get() } : {}),
    ...(call.body === undefined ? {} : { "Content-Type": call.type }),
    Accept: call.accept,
  };
}

/** Sends it; the response when it is 2xx, else a CallError. */
async function send(call, signal) {
  const method = call.body === undefined ? "GET" : "POST";
  const url = BASE + call.path.replace(/^\//, "");
  let response;
  try {
    response = await fetch(url, { method, headers: headersOf(call), body: call.body, signal, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new CallError("The API could not be reached.", { code: "unreachable" });
  }
  if (response.ok) return response;
  throw await readError(response);
}

async function readError(response) {
  const text = await response.text();
  const whole = parsed(text);
  const said = whole?.error;
  // The API's own words, or those that model servers commonly use.
  const words = [said?.message, said, whole?.detail, whole?.message].find((said) => typeof said === "string");
  const message = (words ?? text) || response.statusText;
  return new CallError(message, {
    status: response.status,
    code: said?.code ?? "",
    requestId: response.headers.get("x-request-id") ?? said?.request_id ?? "",
    retryAfter: response.headers.get("retry-after") ?? "",
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The data of server-sent events, one by one, as they come.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
async function* events(response) {
  let waiting = "";
  for await (const piece of texts(response)) {
    const parts = (waiting + piece).split(/\r\n\r\n|\n\n|\r\r/);
    waiting = parts.pop();
    for (const part of parts) {
      const lines = part.split(/\r\n|\n|\r/).filter((line) => line.startsWith("data:"));
      if (lines.length) yield lines.map((line) => line.slice(5).replace(/^ /, "")).join("\n");
    }
  }
}

/** The text of an answer, piece by piece. */
async function* texts(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield value;
  }
}
