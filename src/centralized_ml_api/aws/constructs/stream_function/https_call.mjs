// Calls servers outside of SageMaker. A call is sent once, over a connection of its own: Lambda stops the function between
// two calls, and a server that has closed a kept connection meanwhile might still have read the next call. TLS sessions
// are resumed.

import http from "node:http";
import https from "node:https";

import { ANSWER_TOO_LARGE, MODEL_FAILED, MODEL_NOT_READY, RESPONSE_LIMIT_BYTES } from "./errors.mjs";

const CONNECT_MILLISECONDS = 5_000;

const CLIENTS = {
    "http:": { module: http, agent: new http.Agent({ keepAlive: false }), connected: "connect" },
    "https:": { module: https, agent: new https.Agent({ keepAlive: false }), connected: "secureConnect" },
};

// A call that failed on its way: `asApiError` is what callers are told. Once it was sent, its server may have worked.
class CallFailed extends Error {
    constructor(cause, asApiError) {
        super(cause.message);
        const mayHaveWorked = asApiError !== MODEL_NOT_READY;
        Object.assign(this, { name: cause.code ?? cause.name, asApiError, mayHaveWorked });
    }
}

// Sends a request. Returns the response once its headers are there; its body is read by the functions below.
export async function send(url, { method = "POST", headers, body, signal }) {
    const { module, agent, connected } = CLIENTS[url.protocol];
    const { promise, resolve, reject } = Promise.withResolvers();
    const request = module.request(url, { method, headers, agent, signal });
    let failure = MODEL_NOT_READY;
    const late = () => request.destroy(new Error(`no connection within ${CONNECT_MILLISECONDS / 1000} seconds`));
    const timer = setTimeout(late, CONNECT_MILLISECONDS);
    request.on("socket", (socket) => {
        socket.once(connected, () => {
            clearTimeout(timer);
            failure = MODEL_FAILED;
        });
    });
    request.on("response", resolve);
    request.on("error", (cause) => reject(new CallFailed(cause, failure)));
    request.end(body);
    try {
        return await promise;
    } finally {
        clearTimeout(timer);
    }
}

// Yields the bytes of a response as they arrive.
export async function* readChunks(response, cancellation) {
    const iterator = response[Symbol.asyncIterator]();
    for (;;) {
        cancellation.startIdleTimer();
        const { done, value } = await iterator.next().catch((cause) => {
            throw new CallFailed(cause, MODEL_FAILED);
        });
        cancellation.stopIdleTimer();
        if (done) return;
        yield value;
    }
}

// Returns all bytes of a model's answer. Throws ANSWER_TOO_LARGE above the API's limit.
export function readWhole(response, cancellation) {
    const tooLarge = ANSWER_TOO_LARGE.withMessage("over_limit", { megabytes: RESPONSE_LIMIT_BYTES / 1024 / 1024 });
    return readAll(response, cancellation, RESPONSE_LIMIT_BYTES, tooLarge);
}

// Returns the first bytes of a response, at most so many, and leaves the rest.
export async function readStart(response, cancellation, most) {
    const chunks = [];
    let length = 0;
    for await (const chunk of readChunks(response, cancellation)) {
        chunks.push(chunk);
        length += chunk.length;
        if (length >= most) break;
    }
    response.destroy();
    return Buffer.concat(chunks).subarray(0, most);
}

// Returns all bytes of a response. Throws `tooLarge` where they are more than `most`.
export async function readAll(response, cancellation, most, tooLarge) {
    const chunks = [];
    let length = 0;
    for await (const chunk of readChunks(response, cancellation)) {
        length += chunk.length;
        if (length > most) throw tooLarge;
        chunks.push(chunk);
    }
    return Buffer.concat(chunks);
}
