// The answer on its way to the client: status and headers once, then bytes, then a good or a bad end.

import { framingOf } from "./framing.mjs";
import { headersOf, renderError } from "./errors.mjs";

const { EVENT_ENDS } = process.env; // set while the event has an end
const EVERY_ANSWER = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "*",
    ...(EVENT_ENDS ? { "x-event-ends": EVENT_ENDS } : {}),
};

export class Answer {
    #stream;
    #closed;
    #framing;
    #written = false;

    constructor(stream, requestId) {
        this.#stream = stream;
        this.requestId = requestId;
        this.begun = false;
        this.#closed = new Promise((resolve) => stream.on("close", resolve));
        stream.on("error", () => {}); // a client that disconnected; `close` follows
    }

    onClose(listener) {
        this.#closed.then(listener);
    }

    // Status and headers leave with the first bytes: the runtime writes them before those.
    begin(status, headers) {
        this.#framing = framingOf(headers["content-type"] ?? "");
        const all = { ...EVERY_ANSWER, "x-request-id": this.requestId, ...headers };
        this.#stream = awslambda.HttpResponseStream.from(this.#stream, { statusCode: status, headers: all });
        this.begun = true;
    }

    async write(bytes) {
        this.#written = true;
        if (this.#stream.write(bytes)) return;
        const drained = new Promise((resolve) => this.#stream.once("drain", resolve));
        await Promise.race([drained, this.#closed]);
    }

    // Without a write, even an empty one, no status would be sent.
    async end() {
        if (!this.#written) await this.write("");
        const ended = new Promise((resolve) => this.#stream.end(resolve));
        await Promise.race([ended, this.#closed]);
    }

    // Passes the bytes as they come, cut so that each write is whole in the framing of the answer.
    async pass(parts) {
        for await (const bytes of this.#framing.cut(parts)) await this.write(bytes);
        await this.end();
    }

    async send(status, headers, body) {
        this.begin(status, headers);
        await this.write(body);
        await this.end();
    }

    async sendJson(value) {
        await this.send(200, { "content-type": "application/json" }, JSON.stringify(value));
    }

    async sendError(error) {
        await this.send(error.status, headersOf(error), renderError(error, this.requestId));
    }

    // An error after the first byte is the last piece where the framing has a place for it; else the answer
    // breaks off.
    async breakOff(error) {
        const last = this.#framing.renderLast(renderError(error.withoutOwnBody(), this.requestId));
        if (last === null) throw error;
        await this.write(last);
        await this.end();
    }
}
