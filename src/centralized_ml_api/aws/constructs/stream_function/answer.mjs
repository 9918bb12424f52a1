// Sends the response to the client: status and headers once, then the body, then its end or an error.

import { EVENTS_TYPE, framingOf } from "./framing.mjs";
import { ANTHROPIC_REQUEST_ID, headersOf, renderError } from "./errors.mjs";

const NO_MESSAGE = '""';
const INSTANT = /^[0-9]{4}-[0-9TZ:.+-]+$/;

const { EVENT_ENDS } = process.env; // set if the event has an end
// What an organizer says to everybody, as JSON: its `words`, and the instant `at` since when; an empty text for nothing.
// `mlapi message --target aws` changes it.
const MESSAGE = readMessage(process.env.EVENT_MESSAGE ?? NO_MESSAGE);
const COMMON_HEADERS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "*",
    ...(EVENT_ENDS ? { "x-event-ends": EVENT_ENDS } : {}),
    // Headers hold ASCII alone. Spaces stay as they are: `encode_message` of api/notices.py writes the same.
    ...(MESSAGE && { "x-event-message": encodeURI(MESSAGE.words).replaceAll("%20", " "), "x-event-message-time": MESSAGE.at }),
};

// Returns a message, null for none. Whatever else somebody has written there is none: with it, every call would fail.
function readMessage(text) {
    if (text === NO_MESSAGE) return null;
    try {
        const { words, at } = JSON.parse(text);
        encodeURI(words.normalize()); // throws for what is no text
        if (INSTANT.test(at)) return { words, at };
        throw new Error("no message has this form");
    } catch (cause) {
        console.error(JSON.stringify({ variable: "EVENT_MESSAGE", why: cause.message }));
        return null;
    }
}

export class Answer {
    #stream;
    #closed;
    #framing;
    #written = false;
    #isAnthropic;
    #begin;

    // `isAnthropic`: errors have the shape of Anthropic's API. `begin` gives the stream its status and headers; that of
    // Lambda's runtime where it is not another.
    constructor(stream, requestId, isAnthropic = false, begin = awslambda.HttpResponseStream.from) {
        this.#stream = stream;
        this.#begin = begin;
        this.#isAnthropic = isAnthropic;
        this.requestId = requestId;
        this.servedBy = null; // the entry that answers, where it may be another one than was named
        this.isPaid = false; // whether a provider has taken the call: asking another one might be paid twice
        this.wasTaken = false; // whether one of several entries has got the call, and failed
        this.headersSent = false;
        this.left = {}; // headers that say what is left to the caller's team
        this.bytes = 0; // of the body, as far as it was written
        this.#closed = new Promise((resolve) => stream.on("close", resolve));
        stream.on("error", () => {}); // the client disconnected; `close` follows
    }

    onClose(listener) {
        this.#closed.then(listener);
    }

    // The runtime sends status and headers just before the first bytes of the body.
    writeHead(status, headers) {
        this.#framing = framingOf(headers["content-type"] ?? "");
        const id = { "x-request-id": this.requestId, ...(this.#isAnthropic && { [ANTHROPIC_REQUEST_ID]: this.requestId }) };
        const servedBy = this.servedBy && { "x-served-by": this.servedBy };
        const allHeaders = { ...COMMON_HEADERS, ...id, ...servedBy, ...this.left, ...headers };
        // Events have no other encoding, and clients other than browsers guess wrong.
        if (headers["content-type"] === EVENTS_TYPE) allHeaders["content-type"] = `${EVENTS_TYPE}; charset=utf-8`;
        this.#stream = this.#begin(this.#stream, { statusCode: status, headers: allHeaders });
        this.headersSent = true;
    }

    async write(bytes) {
        this.#written = true;
        this.bytes += Buffer.byteLength(bytes);
        if (this.#stream.write(bytes)) return;
        const drained = new Promise((resolve) => this.#stream.once("drain", resolve));
        await Promise.race([drained, this.#closed]);
    }

    // The runtime sends no status without a write; an empty one is enough.
    async end() {
        if (!this.#written) await this.write("");
        const ended = new Promise((resolve) => this.#stream.end(resolve));
        await Promise.race([ended, this.#closed]);
    }

    // Passes the chunks on as they arrive, cut where the framing of the response has a boundary.
    async pipe(chunks) {
        for await (const bytes of this.#framing.cut(chunks)) await this.write(bytes);
        await this.end();
    }

    async send(status, headers, body) {
        this.writeHead(status, headers);
        await this.write(body);
        await this.end();
    }

    async sendJson(value) {
        await this.send(200, { "content-type": "application/json" }, JSON.stringify(value));
    }

    async sendError(error) {
        await this.send(error.status, headersOf(error), this.#render(error));
    }

    // Ends a response that has begun: with the error as its last frame, or by closing the connection where the
    // framing has no place for one.
    async endWithError(error) {
        const last = this.#framing.renderLast(this.#render(error.withoutModelBody()), this.#isAnthropic ? "error" : null);
        if (last === null) throw error;
        await this.write(last);
        await this.end();
    }

    #render(error) {
        return renderError(error, this.requestId, this.#isAnthropic);
    }
}
