// Reads the pieces of content that several APIs write alike.

import { refuseField, refuseValue } from "./untranslatable.mjs";

const DATA_URL = /^data:([^;,]+)?(?:;[^,]*?)?;base64,(.*)$/s;

export function isObject(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Returns an object's fields that are not null. Throws for anything else.
export function objectAt(at, value) {
    if (!isObject(value)) refuseValue(at, "an object");
    return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}

export function listAt(at, value) {
    if (!Array.isArray(value)) refuseValue(at, "a list");
    return value;
}

export function stringAt(at, value) {
    if (typeof value !== "string") refuseValue(at, "a string");
    return value;
}

export function booleanAt(at, value) {
    if (typeof value !== "boolean") refuseValue(at, "true or false");
    return value;
}

export function numberAt(at, value) {
    if (typeof value !== "number") refuseValue(at, "a number");
    return value;
}

// Reads each field of a body by the reader of its name, which takes the value and the field's place. What has no
// reader is refused; so is what has another value than `only` says, and `ignored` lists what changes no answer.
export function readFields(fields, readers, { only = {}, ignored = [], at = "" } = {}) {
    for (const [name, value] of Object.entries(fields)) {
        const place = at ? `${at}.${name}` : name;
        if (Object.hasOwn(readers, name)) readers[name](value, place);
        else if (Object.hasOwn(only, name)) {
            if (!only[name].some((allowed) => isEqual(allowed, value))) refuseField(place);
        } else if (!ignored.includes(name)) refuseField(place);
    }
}

function isEqual(one, other) {
    return JSON.stringify(one) === JSON.stringify(other);
}

// Returns an image or a document from a URL, which may hold the data itself.
export function mediaOf(type, url, at, name) {
    const [, mediaType, data] = DATA_URL.exec(stringAt(at, url)) ?? [];
    if (mediaType) return { type, mediaType, data, at, ...(name && { name }) };
    if (!/^https?:\/\//.test(url)) refuseValue(at, "a data URL in base64 or an http URL");
    return { type, url, at, ...(name && { name }) };
}

export function dataUrl({ mediaType, data }) {
    return `data:${mediaType};base64,${data}`;
}

// Returns the parsed object of a tool's arguments.
export function argumentsAt(at, text) {
    const written = stringAt(at, text);
    if (!written.trim()) return {};
    try {
        const input = JSON.parse(written);
        if (isObject(input)) return input;
    } catch {
        // refused below
    }
    return refuseValue(at, "a JSON object as a string");
}
