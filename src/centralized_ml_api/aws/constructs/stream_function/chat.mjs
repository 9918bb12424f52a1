// Chat completions, whole and streamed.

import { randomUUID } from "node:crypto";

import { begun, valuesIn } from "./framing.mjs";
import { invoke, invokeEvents, readModelJson } from "./invoke.mjs";

const STREAM_HEADERS = { "content-type": "text/event-stream", "cache-control": "no-cache" };

export async function answerChat(chat) {
    const { body, family } = chat;
    family.check(body);
    if (!body.stream) return answerWhole(chat);
    return family.passes ? passStream(chat) : answerStream(chat);
}

async function answerWhole({ body, endpoint, family, answer, cancellation }) {
    const { headers, bytes } = await invoke(endpoint, family.build(body), cancellation);
    if (family.passes) return answer.send(200, headers, bytes);
    const { text, finish, usage } = family.read(readModelJson(bytes), body);
    const cutter = new StopCutter(family.stops(body));
    const message = { role: "assistant", content: cutter.push(text) + cutter.end() };
    return answer.sendJson({
        ...describe(body, "chat.completion"),
        choices: [{ index: 0, message, finish_reason: finish ?? "stop", logprobs: null }],
        ...(usage && { usage }),
    });
}

async function passStream({ body, endpoint, family, answer, cancellation }) {
    const { headers, parts } = await invokeEvents(endpoint, family.build(body), cancellation);
    answer.begin(200, headers);
    await answer.pass(parts);
}

async function answerStream(chat) {
    const pieces = await startPieces(chat);
    const chunk = chunkMaker(chat.body);
    chat.answer.begin(200, STREAM_HEADERS);
    const write = (value) => chat.answer.write(`data: ${JSON.stringify(value)}\n\n`);
    await write(chunk({ role: "assistant", content: "" }));
    const end = await writeTexts(chat, pieces, (text) => write(chunk({ content: text })));
    await write(chunk({}, end.finish));
    if (chat.body.stream_options?.include_usage && end.usage) {
        await write({ ...chunk({}), choices: [], usage: end.usage });
    }
    await chat.answer.write("data: [DONE]\n\n");
    await chat.answer.end();
}

// Writes each text as soon as no stop sequence can begin in it; returns how the answer ended.
async function writeTexts({ body, family }, pieces, write) {
    const cutter = new StopCutter(family.stops(body));
    const end = { finish: "stop", usage: undefined };
    for await (const piece of pieces) {
        const text = cutter.push(piece.text);
        if (text) await write(text);
        Object.assign(end, piece.finish && { finish: piece.finish }, piece.usage && { usage: piece.usage });
    }
    const rest = cutter.end();
    if (rest) await write(rest);
    return end;
}

// `{text, finish?, usage?}` each; from a family that cannot stream, the whole answer as the only piece.
async function startPieces({ body, endpoint, family, cancellation }) {
    if (!family.streams) {
        const { bytes } = await invoke(endpoint, family.build({ ...body, stream: false }), cancellation);
        return [family.read(readModelJson(bytes), body)];
    }
    const { parts } = await invokeEvents(endpoint, family.build(body), cancellation);
    return begun(readPieces(valuesIn(parts), family)); // an unreadable first piece still has a status
}

async function* readPieces(values, family) {
    for await (const value of values) yield family.readPiece(readModelJson(value));
}

function chunkMaker(body) {
    const same = describe(body, "chat.completion.chunk");
    return (delta, finish = null) => ({ ...same, choices: [{ index: 0, delta, finish_reason: finish }] });
}

function describe(body, object) {
    const created = Math.floor(Date.now() / 1000);
    return { id: `chatcmpl-${randomUUID()}`, object, created, model: body.model };
}

// Cuts a text as it comes: removes the white space before it, and everything from the first stop sequence on,
// which servers of other APIs leave in.
class StopCutter {
    #stops;
    #held = "";
    #begun = false;
    #ended = false;

    constructor(stops) {
        this.#stops = stops.filter(Boolean);
    }

    // What of the text may be shown already: all but an end that may be the beginning of a stop sequence.
    push(text) {
        if (this.#ended) return "";
        const all = this.#begun ? this.#held + text : (this.#held + text).trimStart();
        this.#begun ||= all !== "";
        const found = this.#stops.map((stop) => all.indexOf(stop)).filter((index) => index >= 0);
        this.#ended = found.length > 0;
        const shown = this.#ended ? Math.min(...found) : all.length - this.#longestBeginning(all);
        this.#held = this.#ended ? "" : all.slice(shown);
        return all.slice(0, shown);
    }

    end() {
        return this.#held;
    }

    #longestBeginning(text) {
        return Math.max(0, ...this.#stops.map((stop) => beginningAtEnd(text, stop)));
    }
}

function beginningAtEnd(text, stop) {
    for (let length = Math.min(stop.length - 1, text.length); length > 0; length -= 1) {
        if (text.endsWith(stop.slice(0, length))) return length;
    }
    return 0;
}
