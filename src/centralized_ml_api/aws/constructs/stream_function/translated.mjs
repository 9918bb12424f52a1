// Calls models whose server speaks another API than the caller, by the translator: those of providers, and those of
// Bedrock by Converse or, where they embed, by InvokeModel.
//
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and
// API_runtime_ConverseStream.html there

import apis from "./apis.json" with { type: "json" };

import { INVALID_BODY, MODEL_FAILED } from "./errors.mjs";
import { EVENTS_TYPE, awaitFirst } from "./framing.mjs";
import { readChunks, readWhole } from "./https_call.mjs";
import { readModelJson } from "./invoke.mjs";
import { errorOfStatus, hideSecrets, noteUsage, passEvents } from "./provider_answers.mjs";
import { EventStreamDecoder } from "./translator/event_stream.mjs";
import { Untranslatable, translate } from "./translator/index.mjs";
import { holdStart } from "./translator/stream_start.mjs";

const CONVERSE = "bedrock-converse";
const INVOKE = "bedrock-invoke";
const EMBEDDINGS = "openai-embeddings";

// Returns the API in which the server of a model is asked for the calls of an API: the same, one from which the translator
// translates, or undefined.
export function findServerApi({ apis: spoken, converse }, api) {
    if (converse && spoken.includes(api)) return api === EMBEDDINGS ? INVOKE : CONVERSE;
    if (converse) return undefined;
    if (spoken.includes(api)) return api;
    return (apis.translated[api] ?? []).find((server) => spoken.includes(server));
}

// Returns a call of the entry `name`, which answers name: its path, its text, its headers, and `passOn`, which answers with
// what comes back. `bounds` are the members that keep the answer short. Throws INVALID_BODY for what the server has no place
// for.
export function buildTranslatedCall(body, path, name, entry, bounds = {}) {
    const { provider } = entry;
    const api = apis.by_path[path];
    const server = findServerApi(provider, api);
    const call = translateBody(api, server, entry, { ...body.document, ...bounds, model: name });
    const passOn = (received) => (call.streams ? passStream(call, server, received) : passWhole(call, received));
    if (!isOfBedrock(server)) {
        const text = JSON.stringify({ ...call.body, model: provider.model });
        const accept = call.streams ? EVENTS_TYPE : "application/json";
        return { path: apis.first_paths[server], text, passOn, headers: { accept } };
    }
    return { path: call.path, text: JSON.stringify(call.body), passOn, headers: {} };
}

function isOfBedrock(server) {
    return server === CONVERSE || server === INVOKE;
}

function translateBody(api, server, { provider, max_output_tokens: most }, document) {
    const options = {
        limitKey: provider.limit_key ?? "max_tokens",
        takesStreamOptions: Boolean(provider.counts),
        hide: hideSecrets,
        ...(most && { maxTokens: most }),
        ...(isOfBedrock(server) && { model: provider.model }),
    };
    try {
        return translate(api, server, options).request(document);
    } catch (cause) {
        throw cause instanceof Untranslatable ? INVALID_BODY.saying(cause.message) : cause;
    }
}

async function passWhole(call, { response, usage, answer, cancellation }) {
    const document = readModelJson(await readWhole(response, cancellation));
    const translated = read(() => call.response(document));
    noteUsage(document.inputTextTokenCount === undefined ? document : translated, usage); // Titan's own word for it
    return answer.sendJson(translated);
}

// Returns what `decode` makes of a server's answer.
function read(decode) {
    try {
        return decode();
    } catch {
        throw MODEL_FAILED.withMessage("unreadable");
    }
}

async function passStream(call, server, { response, status, usage, answer, cancellation }) {
    if (!response.headers["content-type"]?.startsWith(call.streamType)) throw MODEL_FAILED.withMessage("other_form");
    const write = server === CONVERSE ? translateFrames : translateEvents;
    const stream = call.stream();
    const texts = write(stream, readChunks(response, cancellation), usage);
    const events = await awaitFirst(holdStart(stream, texts, (failure) => refuse(failure, answer)));
    answer.writeHead(status, { "content-type": EVENTS_TYPE, "cache-control": "no-cache" });
    return answer.pipe(events);
}

// Returns the error of a stream that has not begun. Where its server has done nothing, which the error says as
// `isUntouched`, another entry may be asked.
function refuse({ status, message, isUntouched }, answer) {
    const error = errorOfStatus(status, message);
    if (!isUntouched) return error;
    answer.isPaid = false;
    return Object.assign(error, { isUntouched });
}

async function* translateEvents(stream, chunks, usage) {
    for await (const bytes of passEvents(chunks, false, usage)) yield* textOf(stream.push(bytes));
    yield* textOf(stream.end());
}

async function* translateFrames(stream, chunks, usage) {
    const decoder = new EventStreamDecoder();
    for await (const bytes of chunks) {
        for (const event of read(() => [...decoder.push(bytes)])) {
            noteUsage(event.metadata, usage);
            yield* textOf(stream.pushEvent(event));
        }
    }
    yield* textOf(stream.end());
}

function* textOf(text) {
    if (text) yield Buffer.from(text);
}
