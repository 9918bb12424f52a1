// Calls models of Bedrock by Converse: translates OpenAI's and Anthropic's bodies, answers and streams.
//
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and API_runtime_ConverseStream

import apis from "./apis.json" with { type: "json" };

import { INVALID_BODY, NOT_SERVED } from "./errors.mjs";
import { EVENTS_TYPE, awaitFirst } from "./framing.mjs";
import { readChunks, readWhole } from "./https_call.mjs";
import { readModelJson } from "./invoke.mjs";
import { noteUsage } from "./provider_answers.mjs";
import { limitsOf } from "./provider_body.mjs";
import { EventStreamDecoder } from "./translator/event_stream.mjs";
import { Untranslatable, translate } from "./translator/index.mjs";

// Returns a call: its path, its text, and `passOn`, which answers with what comes back. Throws INVALID_BODY for what
// Converse has no place for.
export function buildConverseCall(body, path, entry) {
    const { model } = entry.provider;
    const api = apis.by_path[path];
    if (path !== apis.first_paths[api]) throw NOT_SERVED.withMessage("no_token_counts");
    const call = translateBody(api, model, { ...body.document, ...limitsOf(body, path, entry) });
    const operation = call.streams ? "converse-stream" : "converse";
    return {
        path: `/model/${encodeURIComponent(model)}/${operation}`,
        text: JSON.stringify(call.body),
        passOn: (received) => (call.streams ? passStream(call, received) : passWhole(call, received)),
    };
}

function translateBody(api, model, document) {
    try {
        return translate(api, "bedrock-converse", { model }).request(document);
    } catch (cause) {
        throw cause instanceof Untranslatable ? INVALID_BODY.saying(cause.message) : cause;
    }
}

async function passWhole(call, { response, usage, answer, cancellation }) {
    const document = readModelJson(await readWhole(response, cancellation));
    noteUsage(document, usage);
    return answer.sendJson(call.response(document));
}

async function passStream(call, { response, status, usage, answer, cancellation }) {
    const events = await awaitFirst(translateEvents(call.stream(), response, usage, cancellation));
    answer.writeHead(status, { "content-type": EVENTS_TYPE, "cache-control": "no-cache" });
    return answer.pipe(events);
}

async function* translateEvents(stream, response, usage, cancellation) {
    const decoder = new EventStreamDecoder();
    for await (const bytes of readChunks(response, cancellation)) {
        for (const event of decoder.push(bytes)) {
            noteUsage(event.metadata, usage);
            const text = stream.pushEvent(event);
            if (text) yield Buffer.from(text);
        }
    }
    const rest = stream.end();
    if (rest) yield Buffer.from(rest);
}
