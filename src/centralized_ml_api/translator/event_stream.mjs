// Decodes AWS's event streams: frames with a length, headers, a payload and checksums.
//
// Source: https://smithy.io/2.0/aws/amazon-eventstream.html

import { crc32 } from "node:zlib";

export const FRAMES_TYPE = "application/vnd.amazon.eventstream";

const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
const LONGEST_FRAME = 24 * 1024 * 1024;
const STRING = 7;
// How many bytes the values of the other types of headers have; -1 if a length of two bytes precedes them.
const VALUE_BYTES = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 6: -1, [STRING]: -1, 8: 8, 9: 16 };

export class EventStreamDecoder {
    #rest = Buffer.alloc(0);

    // Returns the events that are complete now, each {name: payload}, as AWS's SDKs do. Throws an Error for bytes that
    // are no event stream.
    push(bytes) {
        this.#rest = Buffer.concat([this.#rest, bytes]);
        const events = [];
        while (this.#rest.length >= PRELUDE_BYTES) {
            const length = this.#rest.readUInt32BE(0);
            if (length < PRELUDE_BYTES + CHECKSUM_BYTES || length > LONGEST_FRAME)
                throw new Error("the model's server sent no event stream");
            if (this.#rest.length < length) break;
            events.push(readFrame(this.#rest.subarray(0, length)));
            this.#rest = this.#rest.subarray(length);
        }
        return events;
    }

    // Returns nothing: what is left is no frame.
    end() {
        return [];
    }
}

function readFrame(frame) {
    const end = frame.length - CHECKSUM_BYTES;
    if (crc32(frame.subarray(0, end)) !== frame.readUInt32BE(end))
        throw new Error("a frame of the model's server has a wrong checksum");
    const payloadStart = PRELUDE_BYTES + frame.readUInt32BE(4);
    const headers = readHeaders(frame.subarray(PRELUDE_BYTES, payloadStart));
    const text = frame.subarray(payloadStart, end).toString("utf8");
    if (headers[":message-type"] === "error") {
        const message = headers[":error-message"] ?? "";
        return { [headers[":error-code"] ?? "internalServerException"]: { message } };
    }
    const name = headers[":event-type"] ?? headers[":exception-type"] ?? "";
    return { [name]: text ? JSON.parse(text) : {} };
}

function readHeaders(bytes) {
    const headers = {};
    let position = 0;
    while (position < bytes.length) {
        const nameEnd = position + 1 + bytes[position];
        const name = bytes.toString("utf8", position + 1, nameEnd);
        const type = bytes[nameEnd];
        const isLong = VALUE_BYTES[type] === -1;
        const start = nameEnd + (isLong ? 3 : 1);
        const end = start + (isLong ? bytes.readUInt16BE(nameEnd + 1) : (VALUE_BYTES[type] ?? Infinity));
        if (end > bytes.length) throw new Error("a frame of the model's server has broken headers");
        if (type === STRING) headers[name] = bytes.toString("utf8", start, end);
        position = end;
    }
    return headers;
}
