// Reads the JSON object that is a request's body: strictly, with errors that say what is wrong and where.
//
// What is passed on to a model keeps the caller's bytes, except for the members that are changed.

import { isUtf8 } from "node:buffer";

import { INVALID_BODY } from "./errors.mjs";
import { JsonProblem, scanJson } from "./json_scanner.mjs";

// The first bytes of gzip, and what is left of them where API Gateway has taken the body for text.
const GZIP = [Buffer.from([0x1f, 0x8b]), Buffer.from("\x1f\ufffd")];
const REPLACEMENT = "\ufffd";

// Reads a body. Throws INVALID_BODY if it is not a JSON object in UTF-8.
export function readJsonObject(bytes) {
    const text = decode(bytes);
    const { members, loneSurrogate } = scan(text);
    const document = JSON.parse(text);
    if (members === null) throw INVALID_BODY.saying(`The body must be a JSON object, not ${kindOf(document)}.`);
    if (loneSurrogate) {
        const where = locate(text, loneSurrogate.position);
        throw invalidJson(`${loneSurrogate.escape} is half of a surrogate pair, ${where}`);
    }
    return new JsonBody(text, members, document);
}

// A JSON object. `document` is what it means: of equal keys the last one counts, and members that are null are left
// out, as OpenAI's API means them.
class JsonBody {
    #text;
    #members;

    constructor(text, members, document) {
        this.#text = text;
        this.#members = members;
        this.document = Object.fromEntries(Object.entries(document).filter(([, value]) => value !== null));
    }

    // Returns the value of a member as it is written: an integer may be larger than JavaScript's numbers are exact.
    sourceOf(name) {
        const { valueStart, end } = this.#members.findLast(({ key }) => key === name);
        return this.#text.slice(valueStart, end);
    }

    // Returns the text with other values for some members. `undefined` removes a member.
    edit(changes) {
        const members = this.#members.map((member, index) => {
            const { key, start, valueStart, end } = member;
            if (!Object.hasOwn(changes, key)) return { ...member, index, text: this.#text.slice(start, end) };
            if (changes[key] === undefined) return null;
            return { ...member, index, text: this.#text.slice(start, valueStart) + JSON.stringify(changes[key]) };
        });
        const kept = members.filter(Boolean).map(({ index, text }, position) => {
            return position ? this.#separatorBefore(index) + text : text;
        });
        const names = new Set(this.#members.map(({ key }) => key));
        const added = Object.entries(changes)
            .filter(([key, value]) => !names.has(key) && value !== undefined)
            .map(([key, value], position) => {
                return `${kept.length || position ? "," : ""}${JSON.stringify(key)}:${JSON.stringify(value)}`;
            });
        const first = this.#members[0]?.start ?? this.#text.indexOf("{") + 1;
        const last = this.#members.at(-1)?.end ?? first;
        return this.#text.slice(0, first) + kept.join("") + added.join("") + this.#text.slice(last);
    }

    // Returns whether a member is there, be it null.
    has(name) {
        return this.#members.some(({ key }) => key === name);
    }

    // Returns the text without `model`. Throws INVALID_BODY where servers could read another model from it, or another value
    // of a watched name.
    withoutModel(changes = {}, watched = []) {
        this.#refuseAmbiguous(["model", ...watched]);
        return this.edit({ ...changes, model: undefined });
    }

    // Returns the same, with its type.
    async encodeWithoutModel() {
        return { bytes: this.withoutModel(), type: "application/json" };
    }

    // Returns the text with other values for some members. Throws INVALID_BODY where one of these, or of the watched names,
    // is there twice or in other letters: servers differ in which of them they read.
    editWatched(changes, watched) {
        this.#refuseAmbiguous([...Object.keys(changes), ...watched]);
        return this.edit(changes);
    }

    #refuseAmbiguous(names) {
        const seen = new Set();
        for (const { key } of this.#members) {
            const name = names.find((known) => known.toLowerCase() === key.trim().toLowerCase());
            if (name === undefined) continue;
            if (key !== name) throw INVALID_BODY.saying(`The body has the key "${key}": write "${name}".`);
            if (seen.has(key)) throw INVALID_BODY.saying(`The body has the key "${key}" twice.`);
            seen.add(key);
        }
    }

    #separatorBefore(index) {
        return this.#text.slice(this.#members[index - 1].end, this.#members[index].start);
    }
}

function decode(bytes) {
    if (GZIP.some((start) => bytes.subarray(0, start.length).equals(start)))
        throw INVALID_BODY.saying("The body is compressed with gzip: send it uncompressed.");
    if (!isUtf8(bytes))
        throw INVALID_BODY.saying(`The body is not valid UTF-8: byte ${findInvalidByte(bytes)} is wrong.`);
    const text = new TextDecoder().decode(bytes); // without a byte order mark
    if (!text.trim()) throw INVALID_BODY.saying("The body is empty: send a JSON object.");
    return text;
}

// Returns the number of the first byte that is not UTF-8; the first byte is 1.
function findInvalidByte(bytes) {
    const pieces = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).split(REPLACEMENT);
    let position = 0;
    for (const piece of pieces) {
        position += Buffer.byteLength(piece);
        const written = bytes.subarray(position, position + 3).toString("utf8");
        if (written !== REPLACEMENT || !isUtf8(bytes.subarray(position, position + 3))) break;
        position += 3;
    }
    return position + 1;
}

function scan(text) {
    try {
        return scanJson(text);
    } catch (problem) {
        if (!(problem instanceof JsonProblem)) throw problem;
        const { message, position } = problem;
        throw position === null ? INVALID_BODY.saying(message) : invalidJson(`${message}, ${locate(text, position)}`);
    }
}

function invalidJson(what) {
    return INVALID_BODY.saying(`The body is not valid JSON: ${what}.`);
}

// Returns line and column, in characters from 1 on.
function locate(text, position) {
    const lines = text.slice(0, position).split("\n");
    return `at line ${lines.length}, column ${[...lines.at(-1)].length + 1}`;
}

function kindOf(value) {
    if (value === null) return "null";
    if (Array.isArray(value)) return "an array";
    return { string: "a string", number: "a number", boolean: "true or false" }[typeof value];
}
