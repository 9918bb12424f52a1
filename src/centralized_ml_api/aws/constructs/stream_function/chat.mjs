// Answers chat completions, complete or streamed.

import { randomUUID } from "node:crypto";

import { awaitFirst, readValues } from "./framing.mjs";
import { invoke, invokeEvents, readModelJson } from "./invoke.mjs";

const STREAM_HEADERS = { "content-type": "text/event-stream", "cache-control": "no-cache" };

export async function answerChat(chat) {
    const { body, family } = chat;
    family.check(body);
    if (!body.stream) return answerComplete(chat);
    return family.passesThrough ? passStreamOn(chat) : answerStream(chat);
}

async function answerComplete({ body, endpoint, family, answer, cancellation }) {
    const { headers, bytes } = await invoke(endpoint, family.build(body), cancellation);
    if (family.passesThrough) return answer.send(200, headers, bytes);
    const { text, finish, usage } = family.read(readModelJson(bytes), body);
    const filter = new StopSequenceFilter(family.stops(body));
    const message = { role: "assistant", content: filter.push(text) + filter.end() };
    return answer.sendJson({
        ...describe(body, "chat.completion"),
        choices: [{ index: 0, message, finish_reason: finish ?? "stop", logprobs: null }],
        ...(usage && { usage }),
    });
}

async function passStreamOn({ body, endpoint, family, answer, cancellation }) {
    const { headers, chunks } = await invokeEvents(endpoint, family.build(body), cancellation);
    answer.writeHead(200, headers);
    await answer.pipe(chunks);
}

async function answerStream(chat) {
    const pieces = await startPieces(chat);
    const buildChunk = chunkBuilder(chat.body);
    chat.answer.writeHead(200, STREAM_HEADERS);
    const write = (value) => chat.answer.write(`data: ${JSON.stringify(value)}\n\n`);
    await write(buildChunk({ role: "assistant", content: "" }));
    const end = await writeTexts(chat, pieces, (text) => write(buildChunk({ content: text })));
    await write(buildChunk({}, end.finish));
    if (chat.body.stream_options?.include_usage && end.usage) {
        await write({ ...buildChunk({}), choices: [], usage: end.usage });
    }
    await chat.answer.write("data: [DONE]\n\n");
    await chat.answer.end();
}

// Writes each text once it cannot be part of a stop sequence. Returns how the answer ended.
async function writeTexts({ body, family }, pieces, write) {
    const filter = new StopSequenceFilter(family.stops(body));
    const end = { finish: "stop", usage: undefined };
    for await (const piece of pieces) {
        const text = filter.push(piece.text);
        if (text) await write(text);
        Object.assign(end, piece.finish && { finish: piece.finish }, piece.usage && { usage: piece.usage });
    }
    const rest = filter.end();
    if (rest) await write(rest);
    return end;
}

// Returns the answer in pieces, each `{text, finish?, usage?}`. A family that cannot stream has a single piece.
async function startPieces({ body, endpoint, family, cancellation }) {
    if (!family.streams) {
        const { bytes } = await invoke(endpoint, family.build({ ...body, stream: false }), cancellation);
        return [family.read(readModelJson(bytes), body)];
    }
    const { chunks } = await invokeEvents(endpoint, family.build(body), cancellation);
    return awaitFirst(readPieces(readValues(chunks), family)); // so that an invalid first piece can still be a 502
}

async function* readPieces(values, family) {
    for await (const value of values) yield family.readPiece(readModelJson(value));
}

// Returns a function that builds OpenAI's chunks, which differ only in their deltas.
function chunkBuilder(body) {
    const common = describe(body, "chat.completion.chunk");
    return (delta, finish = null) => ({ ...common, choices: [{ index: 0, delta, finish_reason: finish }] });
}

function describe(body, object) {
    const created = Math.floor(Date.now() / 1000);
    return { id: `chatcmpl-${randomUUID()}`, object, created, model: body.model };
}

// Filters a text as it arrives: removes leading white space, and everything from the first stop sequence on,
// which servers with other APIs do not remove.
class StopSequenceFilter {
    #stops;
    #held = "";
    #started = false;
    #ended = false;

    constructor(stops) {
        this.#stops = stops.filter(Boolean);
    }

    // Returns the text that can be sent now: all but a tail with which a stop sequence may begin.
    push(text) {
        if (this.#ended) return "";
        const all = this.#started ? this.#held + text : (this.#held + text).trimStart();
        this.#started ||= all !== "";
        const found = this.#stops.map((stop) => all.indexOf(stop)).filter((index) => index >= 0);
        this.#ended = found.length > 0;
        const length = this.#ended ? Math.min(...found) : all.length - this.#longestPrefixAtEnd(all);
        this.#held = this.#ended ? "" : all.slice(length);
        return all.slice(0, length);
    }

    // Returns the rest of the text.
    end() {
        return this.#held;
    }

    #longestPrefixAtEnd(text) {
        return Math.max(0, ...this.#stops.map((stop) => prefixAtEnd(text, stop)));
    }
}

// Returns the length of the longest proper prefix of `stop` that `text` ends with.
function prefixAtEnd(text, stop) {
    for (let length = Math.min(stop.length - 1, text.length); length > 0; length -= 1) {
        if (text.endsWith(stop.slice(0, length))) return length;
    }
    return 0;
}
