// Forms of streamed answers: where a piece of one is whole, and what an error looks like as its last piece.
//
// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html (an event ends with an empty line)

const EVENTS = { separators: ["\n\n", "\r\n\r\n"], renderLast: (json) => `data: ${json}\n\n` };
const LINES = { separators: ["\n"], renderLast: (json) => `${json}\n` };
const BYTES = { separators: null, renderLast: () => null };

const BY_TYPE = {
    "text/event-stream": EVENTS,
    "application/jsonl": LINES,
    "application/jsonlines": LINES,
    "application/x-jsonlines": LINES,
    "application/x-ndjson": LINES,
};

export function framingOf(contentType) {
    const { separators, renderLast } = BY_TYPE[contentType.split(";")[0].trim().toLowerCase()] ?? BYTES;
    return { cut: (parts) => (separators ? cutAt(separators, parts) : parts), renderLast };
}

// Whole pieces as soon as they are whole. What is left at a good end passes; at a bad one it is dropped.
async function* cutAt(separators, parts) {
    let rest = Buffer.alloc(0);
    for await (const part of parts) {
        rest = Buffer.concat([rest, part]);
        const end = lastEnd(rest, separators);
        if (end) yield rest.subarray(0, end);
        rest = rest.subarray(end);
    }
    if (rest.length) yield rest;
}

function lastEnd(bytes, separators) {
    return Math.max(0, ...separators.map((text) => endAfter(bytes.lastIndexOf(text), text.length)));
}

function endAfter(index, length) {
    return index < 0 ? 0 : index + length;
}
