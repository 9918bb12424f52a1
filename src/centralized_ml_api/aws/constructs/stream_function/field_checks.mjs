// Checks fields of a request: their types and their bounds. One machine refuses the same with the same words
// (local/admission).
//
// A check takes a field's name and its value, which is neither missing nor null.

import { INVALID_BODY } from "./errors.mjs";

const LARGEST_NUMBER = 2 ** 32;

// Throws INVALID_BODY for the first field that fails the check it has in `checks`.
export function checkFields(document, checks) {
    for (const [name, check] of Object.entries(checks)) {
        if (document[name] !== undefined) check(name, document[name]);
    }
}

export function refuse(message) {
    throw INVALID_BODY.saying(message);
}

export function integer(least, most) {
    const limits = most === undefined ? `from ${least} on` : `from ${least} to ${most.toLocaleString("en-US")}`;
    return (name, value) => {
        if (!Number.isInteger(value) || value < least || value > (most ?? Infinity))
            refuse(`'${name}' must be an integer ${limits}.`);
    };
}

export function number(name, value) {
    if (typeof value !== "number" || Math.abs(value) > LARGEST_NUMBER) refuse(`'${name}' must be a number.`);
}

export function boolean(name, value) {
    if (typeof value !== "boolean") refuse(`'${name}' must be true or false.`);
}

// Null in a list counts as nothing.
export function texts(count, characters) {
    const isShort = (text) => text === null || (typeof text === "string" && text.length <= characters);
    return (name, value) => {
        const list = [value].flat();
        if (list.length > count || !list.every(isShort))
            refuse(`'${name}' takes at most ${count} strings of at most ${characters} characters each.`);
    };
}
