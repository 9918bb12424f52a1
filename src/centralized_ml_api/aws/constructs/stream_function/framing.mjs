// Reads and writes streams: server-sent events, JSON lines, and SageMaker's response streams.
//
// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html (an event ends with an empty line)
// and https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_ResponseStream.html

export const EVENTS_TYPE = "text/event-stream";

const EVENTS = { separators: ["\n\n", "\r\n\r\n"], renderLast: renderEvent };
const LINES = { separators: ["\n"], renderLast: (json) => `${json}\n` };
const BYTES = { separators: null, renderLast: () => null };

const BY_TYPE = {
    [EVENTS_TYPE]: EVENTS,
    "application/jsonl": LINES,
    "application/jsonlines": LINES,
    "application/x-jsonlines": LINES,
    "application/x-ndjson": LINES,
};

// Returns the framing of a content type: `cut(chunks)` yields the same bytes in complete frames, and
// `renderLast(json, name)` renders an error as the last frame, an event of that name if the framing has names, or returns
// null where there is no place for one.
export function framingOf(contentType) {
    const { separators, renderLast } = BY_TYPE[contentType.split(";")[0].trim().toLowerCase()] ?? BYTES;
    return { cut: (chunks) => (separators ? cutAt(separators, chunks) : chunks), renderLast };
}

function renderEvent(json, name) {
    return `${name ? `event: ${name}\n` : ""}data: ${json}\n\n`;
}

// Yields frames as soon as they are complete. The rest follows at the end, but not after an error.
async function* cutAt(separators, chunks) {
    let rest = Buffer.alloc(0);
    for await (const chunk of chunks) {
        rest = Buffer.concat([rest, chunk]);
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

// Yields the bytes of each `PayloadPart` as it arrives. The SDK throws the other events, which are errors.
export async function* readPayload(payloadEvents, cancellation) {
    const iterator = payloadEvents[Symbol.asyncIterator]();
    for (;;) {
        cancellation.startIdleTimer();
        const { done, value } = await iterator.next();
        cancellation.stopIdleTimer();
        if (done) return;
        if (value.PayloadPart?.Bytes?.length) yield value.PayloadPart.Bytes;
    }
}

// Waits for the first value, then returns them all: an error before the first can still have a status.
export async function awaitFirst(values) {
    const first = await values.next();
    return prepend(first, values);
}

async function* prepend(first, values) {
    if (first.done) return;
    yield first.value;
    yield* values;
}

// Yields the values, as texts, of JSON lines or server-sent events, which have `data:` before each value.
export async function* readValues(chunks) {
    for await (const line of readLines(chunks)) {
        const value = line.replace(/^data:/, "").trim();
        if (value && !/^(:|event:|id:|retry:|\[DONE\])/.test(value)) yield value;
    }
}

async function* readLines(chunks) {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of chunks) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = lines.pop();
        yield* lines;
    }
    yield rest + decoder.decode();
}
