// Answers chat completions, complete or streamed.

import { randomUUID } from "node:crypto";

import { checkChat } from "./chat_rules.mjs";
import { EVENTS_TYPE, awaitFirst, readValues } from "./framing.mjs";
import { invoke, invokeEvents, readModelJson } from "./invoke.mjs";
import { listMeasured } from "./needs.mjs";
import { noteUsage, parse, passEvents } from "./provider_answers.mjs";
import { chatUsage } from "./usage.mjs";

const CHAT_PATH = "/v1/chat/completions";
const STREAM_HEADERS = { "content-type": EVENTS_TYPE, "cache-control": "no-cache" };

const LENGTHS = ["max_completion_tokens", "max_tokens", "n_predict"];

// Answers a chat; `most` is how many tokens the entry lets an answer have, if it says so. `expense` is told of its tokens.
export async function answerChat({ body, most, family, ...call }) {
    checkChat(body.document);
    const lengths = call.expense.members ?? limitLengths(body.document, most);
    if (family.passesThrough) return passOn({ ...call, body, lengths });
    const document = { ...body.document, ...lengths };
    family.check(document);
    if (document.seed !== undefined) document.seed = JSON.rawJSON(body.sourceOf("seed"));
    return (document.stream ? answerStream : answerComplete)({ ...call, document, family });
}

// Returns the members that say how long an answer may be, as far as they change. A server reads one of the first two
// names, llama.cpp also the third. Without a limit, -1 means as much as nothing.
function limitLengths(document, most) {
    const asked = LENGTHS.filter((name) => document[name] !== undefined);
    const names = most && !asked.some((name) => name !== "n_predict") ? [...asked, "max_tokens"] : asked;
    const isWithin = (length) => length >= 0 && length <= (most ?? Infinity);
    return Object.fromEntries(names.filter((name) => !isWithin(document[name])).map((name) => [name, most]));
}

async function passOn({ body, lengths, address, expense, answer, cancellation }) {
    const { stream, stream_options: options } = body.document;
    const hides = Boolean(stream && expense.members && options?.include_usage !== true); // for which nobody has asked
    const asking = hides ? { stream_options: { ...options, include_usage: true } } : {};
    const text = body.withoutModel({ ...lengths, ...asking }, expense.members ? listMeasured(CHAT_PATH) : []);
    const usage = {};
    await expense.reserve();
    try {
        if (!stream) {
            const { headers, bytes } = await invoke(address, text, cancellation);
            if (expense.isCounted) noteUsage(parse(Buffer.from(bytes).toString("utf8")), usage);
            return await answer.send(200, headers, bytes);
        }
        const { headers, chunks } = await invokeEvents(address, text, cancellation);
        answer.writeHead(200, headers);
        return await answer.pipe(expense.isCounted ? passEvents(chunks, hides, usage) : chunks);
    } finally {
        expense.noteUsage(usage);
    }
}

async function answerComplete({ document, address, family, expense, answer, cancellation }) {
    const asked = JSON.stringify(family.build(document));
    await expense.reserve();
    const { bytes } = await invoke(address, asked, cancellation);
    const { text, finish, counted } = family.read(readModelJson(bytes), document);
    const filter = new StopSequenceFilter(family.stops(document));
    const message = { role: "assistant", content: filter.push(text) + filter.end() };
    const usage = chatUsage(counted, family.prompt(document), text);
    noteCounted(expense, usage, counted);
    return answer.sendJson({
        ...describe(document, "chat.completion"),
        choices: [{ index: 0, message, finish_reason: finish ?? "stop", logprobs: null }],
        usage,
    });
}

async function answerStream(chat) {
    const { document, family, expense, answer } = chat;
    const pieces = await startPieces(chat);
    const buildChunk = chunkBuilder(document);
    answer.writeHead(200, STREAM_HEADERS);
    const write = (value) => answer.write(`data: ${JSON.stringify(value)}\n\n`);
    await write(buildChunk({ role: "assistant", content: "" }));
    const end = await writeTexts(chat, pieces, (text) => write(buildChunk({ content: text })));
    await write(buildChunk({}, end.finish));
    const usage = chatUsage(end.counted, family.prompt(document), end.text);
    noteCounted(expense, usage, end.counted);
    if (document.stream_options?.include_usage) {
        await write({ ...buildChunk({}), choices: [], usage });
    }
    await answer.write("data: [DONE]\n\n");
    await answer.end();
}

// Notes the tokens of an answer; without both numbers of the server it is an estimate.
function noteCounted(expense, { prompt_tokens: read, completion_tokens: written }, counted) {
    const isCounted = counted?.prompt !== undefined && counted?.completion !== undefined;
    expense.noteUsage({ tokens_in: read, tokens_out: written }, !isCounted);
}

// Writes each text once it cannot be part of a stop sequence. Returns how the answer ended, and its text.
async function writeTexts({ document, family }, pieces, write) {
    const filter = new StopSequenceFilter(family.stops(document));
    const end = { finish: "stop", counted: undefined, text: "" };
    for await (const piece of pieces) {
        const text = filter.push(piece.text);
        if (text) await write(text);
        end.text += piece.text;
        Object.assign(end, piece.finish && { finish: piece.finish }, piece.counted && { counted: piece.counted });
    }
    const rest = filter.end();
    if (rest) await write(rest);
    return end;
}

// Returns the answer in pieces, each `{text, finish?, counted?}`. A family that cannot stream has a single piece.
async function startPieces({ document, address, family, expense, cancellation }) {
    const text = JSON.stringify(family.build(document));
    await expense.reserve();
    if (!family.streams) {
        const { bytes } = await invoke(address, text, cancellation);
        return [family.read(readModelJson(bytes), document)];
    }
    const { chunks } = await invokeEvents(address, text, cancellation);
    return awaitFirst(readPieces(readValues(chunks), family)); // so that an invalid first piece can still be a 502
}

async function* readPieces(values, family) {
    for await (const value of values) yield family.readPiece(readModelJson(value));
}

// Returns a function that builds OpenAI's chunks, which differ only in their deltas.
function chunkBuilder(document) {
    const common = describe(document, "chat.completion.chunk");
    return (delta, finish = null) => ({ ...common, choices: [{ index: 0, delta, finish_reason: finish }] });
}

function describe(document, object) {
    const created = Math.floor(Date.now() / 1000);
    return { id: `chatcmpl-${randomUUID()}`, object, created, model: document.model };
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
