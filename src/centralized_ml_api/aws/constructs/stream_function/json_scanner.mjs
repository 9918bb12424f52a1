// Scans JSON without recursion: finds the members of the outermost object, or where the text stops being JSON.
//
// `JSON.parse` says neither, and returns large integers as other numbers.
//
// Source: RFC 8259

const DEEPEST = 1200; // levels of nesting that are read; a client may well send a thousand
const MOST_KEYS = 1000; // of one object, because some servers take quadratic time for them

const SPACE = /[ \t\n\r]*/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const WORD = /true|false|null/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const NOT_A_NUMBER = /NaN|-?Infinity/y;
const HEXADECIMAL = /^[\dA-Fa-f]{4}$/;
const CLOSING = { "{": "}", "[": "]" };

// What is wrong with a text; `position` is an index of the text, or null where it would not help.
export class JsonProblem extends Error {
    constructor(message, position = null) {
        super(message);
        this.position = position;
    }
}

// Returns `members`, each `{key, start, valueStart, end}` with indexes of the text, and `loneSurrogate`, the first
// escape for half of a surrogate pair, `{escape, position}` or null. Of a value that is no object, `members` is null.
export function scanJson(text) {
    const scanner = new Scanner(text);
    scanner.readDocument();
    return { members: scanner.members, loneSurrogate: scanner.loneSurrogate };
}

class Scanner {
    #text;
    #position = 0;
    #open = []; // the brackets around the position, outermost first
    #keys = []; // how many keys each of them has had so far
    members = null;
    loneSurrogate = null;

    constructor(text) {
        this.#text = text;
    }

    readDocument() {
        this.#skipSpace();
        if (this.#next() === "{") this.members = [];
        do this.#readValue();
        while (this.#closeBrackets());
        this.#skipSpace();
        if (this.#position < this.#text.length) this.#fail("there is more after the object");
    }

    // Reads a value, or as much of it as comes before its first inner value.
    #readValue() {
        for (;;) {
            const bracket = this.#next();
            if (!(bracket in CLOSING)) return this.#readScalar();
            this.#position += 1;
            this.#open.push(bracket);
            this.#keys.push(0);
            if (this.#open.length > DEEPEST) throw new JsonProblem("The body is nested too deeply.");
            this.#skipSpace();
            if (this.#next() === CLOSING[bracket]) return;
            if (bracket === "{") this.#readKey();
        }
    }

    // Closes what ends after a value. Returns whether another value follows.
    #closeBrackets() {
        for (;;) {
            const bracket = this.#open.at(-1);
            if (!bracket) return false;
            const isMemberRead = this.#open.length === 1 && this.members?.length;
            if (isMemberRead) this.members.at(-1).end ??= this.#position;
            this.#skipSpace();
            if (this.#next() === CLOSING[bracket]) {
                this.#position += 1;
                this.#open.pop();
                checkKeys(this.#keys.pop());
            } else {
                this.#readComma(bracket);
                return true;
            }
        }
    }

    #readComma(bracket) {
        if (this.#next() !== ",") this.#fail('expected "," or the end of the object or array');
        this.#position += 1;
        this.#skipSpace();
        if (["}", "]"].includes(this.#next())) this.#fail("a trailing comma");
        if (bracket === "{") this.#readKey();
    }

    #readKey() {
        const start = this.#position;
        if (this.#next() !== '"') this.#fail("expected a key in double quotes");
        this.#readString();
        const end = this.#position;
        this.#skipSpace();
        if (this.#next() !== ":") this.#fail('expected ":"');
        this.#position += 1;
        this.#skipSpace();
        this.#keys[this.#keys.length - 1] += 1;
        if (this.#open.length > 1 || !this.members) return;
        const key = JSON.parse(this.#text.slice(start, end));
        this.members.push({ key, start, valueStart: this.#position, end: undefined });
    }

    #readScalar() {
        if (this.#next() === '"') return this.#readString();
        const wrong = this.#match(NOT_A_NUMBER);
        if (wrong) throw new JsonProblem(`The body is not valid JSON: ${wrong} is not a JSON number.`);
        const read = this.#match(WORD) || this.#match(NUMBER);
        if (!read) this.#fail("expected a value");
        this.#position += read.length;
    }

    #readString() {
        const start = this.#position;
        this.#position += 1;
        for (;;) {
            this.#position += this.#match(PLAIN).length;
            const character = this.#next();
            if (character === undefined) this.#fail("a string that does not end", start);
            if (character === "\\") {
                this.#readEscape(start);
                continue;
            }
            if (character !== '"') this.#fail("a control character in a string, such as a line break");
            this.#position += 1;
            return;
        }
    }

    #readEscape(stringStart) {
        const position = this.#position;
        const letter = this.#text[position + 1];
        if (letter === undefined) this.#fail("a string that does not end", stringStart);
        if (letter !== "u") {
            if (!'"\\/bfnrt'.includes(letter)) this.#fail("an unknown escape in a string");
            this.#position += 2;
            return;
        }
        const code = this.#readCodeUnit(position);
        this.#position += 6;
        if (code < 0xd800 || code > 0xdfff) return;
        const isPair = code < 0xdc00 && /^\\u[Dd][C-Fc-f]/.test(this.#text.slice(this.#position, this.#position + 4));
        if (isPair) {
            this.#readCodeUnit(this.#position);
            this.#position += 6;
        } else {
            this.loneSurrogate ??= { escape: this.#text.slice(position, position + 6), position };
        }
    }

    #readCodeUnit(position) {
        const digits = this.#text.slice(position + 2, position + 6);
        if (!HEXADECIMAL.test(digits)) this.#fail("an escape without four hexadecimal digits", position + 1);
        return Number.parseInt(digits, 16);
    }

    #skipSpace() {
        this.#position += this.#match(SPACE).length;
    }

    #next() {
        return this.#text[this.#position];
    }

    #match(pattern) {
        pattern.lastIndex = this.#position;
        return pattern.exec(this.#text)?.[0] ?? "";
    }

    #fail(message, position = this.#position) {
        const isAtEnd = position >= this.#text.trimEnd().length;
        throw new JsonProblem(isAtEnd ? "it ends too early" : message, position);
    }
}

function checkKeys(count) {
    if (count <= MOST_KEYS) return;
    const [found, most] = [count, MOST_KEYS].map((number) => number.toLocaleString("en-US"));
    throw new JsonProblem(`The body has an object of ${found} keys: an object may have at most ${most}.`);
}
