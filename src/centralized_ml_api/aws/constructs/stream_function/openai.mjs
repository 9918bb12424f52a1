// Answers `POST /v1/chat/completions` and `POST /v1/embeddings` with the entry that the body names, whatever its
// family.
//
// Source: https://platform.openai.com/docs/api-reference

import { asCallersMistake } from "./callers_mistakes.mjs";
import { answerChat } from "./chat.mjs";
import { answerEmbeddings } from "./embeddings.mjs";
import { MODEL_MISSING, MODEL_NOT_FOUND, NOT_ALLOWED } from "./errors.mjs";
import { FAMILIES } from "./families.mjs";
import { readJsonObject } from "./json_body.mjs";

const HANDLERS = { chat: answerChat, embeddings: answerEmbeddings };

export async function answerOpenAi(task, request, models, answer, cancellation) {
    const body = readJsonObject(request.body);
    const { model } = body.document;
    const served = [...models].filter(([, entry]) => FAMILIES[entry.speaks]?.task === task);
    const listed = { models: served.map(([name]) => name).join(", ") || "none" };
    if (typeof model !== "string") throw MODEL_MISSING.withMessage("listing", listed);
    const found = served.find(([name, { aliases }]) => name === model || aliases?.includes(model));
    if (!found) throw MODEL_NOT_FOUND.withMessage("listing", listed);
    const [name, { endpoint, speaks, max_output_tokens: most }] = found;
    if (request.refused.includes(name)) throw NOT_ALLOWED;
    body.document.model = name; // which answers name
    try {
        await HANDLERS[task]({ body, endpoint, family: FAMILIES[speaks], most, answer, cancellation });
    } catch (cause) {
        throw asCallersMistake(cause);
    }
}
