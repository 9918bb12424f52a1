// SageMaker's event stream as what the model sent: bytes, or the lines in them.
//
// Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_ResponseStream.html

// The bytes of each `PayloadPart` as it comes. The SDK throws the other events, which are errors.
export async function* payloadParts(events, watch) {
    const iterator = events[Symbol.asyncIterator]();
    for (;;) {
        watch.expect();
        const { done, value } = await iterator.next();
        watch.heard();
        if (done) return;
        if (value.PayloadPart?.Bytes?.length) yield value.PayloadPart.Bytes;
    }
}

// The same pieces, after the first of them is there: an error before it can still have a status.
export async function begun(parts) {
    const first = await parts.next();
    return rest(first, parts);
}

async function* rest(first, parts) {
    if (first.done) return;
    yield first.value;
    yield* parts;
}

// JSON lines or server-sent events, which differ by the word before the value: the values as texts.
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
