// Chat completions, whole and streamed.

import { randomUUID } from "node:crypto";

import { MODEL_FAILED } from "./errors.mjs";
import { begun, valuesIn } from "./event_stream.mjs";
import { invoke, invokeStreaming, jsonCall } from "./invoke.mjs";
import { StopCutter } from "./stop.mjs";

const EVENTS = "text/event-stream";
const STREAM_HEADERS = { "content-type": EVENTS, "cache-control": "no-cache" };

export async function answerChat(chat) {
    const { asked, family } = chat;
    family.check(asked);
    if (!asked.stream) return answerWhole(chat);
    return family.passes ? passStream(chat) : answerStream(chat);
}

async function answerWhole({ asked, endpoint, family, answer, watch }) {
    const { headers, body } = await invoke(
        endpoint,
        jsonCall(family.build(asked), "application/json"),
        watch,
    );
    if (family.passes) return answer.send(200, headers, body);
    const said = family.read(readJson(body), asked);
    return answer.send(
        200,
        { "content-type": "application/json" },
        JSON.stringify(completion(asked, family, said)),
    );
}

async function passStream({ asked, endpoint, family, answer, watch }) {
    const { headers, parts } = await invokeStreaming(endpoint, jsonCall(family.build(asked), EVENTS), watch);
    answer.begin(200, headers);
    await answer.pass(parts);
}

async function answerStream(chat) {
    const pieces = await startPieces(chat);
    const chunk = chunkMaker(chat.asked);
    chat.answer.begin(200, STREAM_HEADERS);
    const write = (value) => chat.answer.write(`data: ${JSON.stringify(value)}\n\n`);
    await write(chunk({ role: "assistant", content: "" }));
    const end = await writeTexts(chat, pieces, (text) => write(chunk({ content: text })));
    await write(chunk({}, end.finish));
    if (chat.asked.stream_options?.include_usage && end.usage) {
        await write({ ...chunk({}), choices: [], usage: end.usage });
    }
    await chat.answer.write("data: [DONE]\n\n");
    await chat.answer.end();
}

// Writes each text as soon as no stop sequence can begin in it; returns how the answer ended.
async function writeTexts({ asked, family }, pieces, write) {
    const cutter = new StopCutter(family.stops(asked));
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
async function startPieces({ asked, endpoint, family, watch }) {
    if (!family.streams) {
        const { body } = await invoke(
            endpoint,
            jsonCall(family.build({ ...asked, stream: false }), "application/json"),
            watch,
        );
        return [family.read(readJson(body), asked)];
    }
    const { parts } = await invokeStreaming(endpoint, jsonCall(family.build(asked), EVENTS), watch);
    return begun(readPieces(valuesIn(parts), family)); // one that cannot be read still has a status
}

async function* readPieces(values, family) {
    for await (const value of values) yield family.readPiece(readJson(value));
}

export function readJson(bytes) {
    try {
        return JSON.parse(typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8"));
    } catch {
        throw MODEL_FAILED.saying("The model answered something that is not JSON.");
    }
}

function completion(asked, family, { text, finish, usage }) {
    const cutter = new StopCutter(family.stops(asked));
    const content = cutter.push(text) + cutter.end();
    return {
        ...about(asked, "chat.completion"),
        choices: [
            {
                index: 0,
                message: { role: "assistant", content },
                finish_reason: finish ?? "stop",
                logprobs: null,
            },
        ],
        ...(usage && { usage }),
    };
}

function chunkMaker(asked) {
    const same = about(asked, "chat.completion.chunk");
    return (delta, finish = null) => ({ ...same, choices: [{ index: 0, delta, finish_reason: finish }] });
}

function about(asked, object) {
    const created = Math.floor(Date.now() / 1000);
    return { id: `chatcmpl-${randomUUID()}`, object, created, model: asked.model };
}
