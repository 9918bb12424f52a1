// Framings of streams: the pieces of an answer on its way out, and the model's bytes on their way in.
//
// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html (an event ends with an empty line)
// and https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_ResponseStream.html

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

// `cut(parts)` gives the same bytes in whole pieces; `renderLast(json)` an error as the last piece, or null.
export function framingOf(contentType) {
    const { separators, renderLast } = BY_TYPE[contentType.split(";")[0].trim().toLowerCase()] ?? BYTES;
    return { cut: (parts) => (separators ? cutAt(separators, parts) : parts), renderLast };
}

// Pieces pass as soon as they are whole. What is left passes at a good end, and is dropped at a bad one.
async function* cutAt(separators, parts) {
    let rest = Buffer.alloc(0);
    for await (const part of parts) {
        rest = Buffer.concat([rest, part]);
        const end = Math.max(...separators.map((separator) => endOfLast(rest, separator)));
        if (end) yield rest.subarray(0, end);
        rest = rest.subarray(end);
    }
    if (rest.length) yield rest;
}

function endOfLast(bytes, separator) {
    const index = bytes.lastIndexOf(separator);
    return index < 0 ? 0 : index + separator.length;
}

// The bytes of each `PayloadPart` as it comes. The SDK throws the other events, which are errors.
export async function* payloadParts(payloadEvents, cancellation) {
    const iterator = payloadEvents[Symbol.asyncIterator]();
    for (;;) {
        cancellation.startIdleTimer();
        const { done, value } = await iterator.next();
        cancellation.stopIdleTimer();
        if (done) return;
        if (value.PayloadPart?.Bytes?.length) yield value.PayloadPart.Bytes;
    }
}

// The same pieces, once the first is there: an error before it can still have a status.
export async function begun(parts) {
    const first = await parts.next();
    return rest(first, parts);
}

async function* rest(first, parts) {
    if (first.done) return;
    yield first.value;
    yield* parts;
}

// The values, as texts, of JSON lines or of server-sent events, which differ by the word before the value.
export async function* valuesIn(parts) {
    for await (const line of linesOf(parts)) {
        const value = line.replace(/^data:/, "").trim();
        if (value && !/^(:|event:|id:|retry:|\[DONE\])/.test(value)) yield value;
    }
}

async function* linesOf(parts) {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const part of parts) {
        const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
        rest = lines.pop();
        yield* lines;
    }
    yield rest + decoder.decode();
}
