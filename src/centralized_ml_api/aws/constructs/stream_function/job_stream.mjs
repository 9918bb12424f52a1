// Takes the answer of a job, where that of a request goes to its caller: keeps status, headers and body until it is whole.

import { Writable } from "node:stream";

import { RESPONSE_LIMIT_BYTES } from "./errors.mjs";

export class JobStream extends Writable {
    #chunks = [];
    #length = 0;

    constructor() {
        super({ decodeStrings: true });
        this.head = null; // `{statusCode, headers}`, once the answer has begun
        this.isTooLarge = false; // whether the answer was dropped because of that
    }

    get bytes() {
        return Buffer.concat(this.#chunks);
    }

    _write(chunk, _encoding, callback) {
        this.#length += chunk.length;
        this.isTooLarge = this.#length > RESPONSE_LIMIT_BYTES;
        if (this.isTooLarge) this.destroy(); // which cancels the call
        else this.#chunks.push(chunk);
        callback();
    }

    // Begins an answer, as `HttpResponseStream.from` of Lambda's runtime does.
    static begin(stream, head) {
        stream.head = head;
        return stream;
    }
}
