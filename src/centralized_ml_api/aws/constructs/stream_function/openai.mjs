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
    const names = [...models]
        .filter(([, entry]) => FAMILIES[entry.speaks]?.task === task)
        .map(([name]) => name);
    const listed = { models: names.join(", ") || "none" };
    if (typeof model !== "string") throw MODEL_MISSING.withMessage("listing", listed);
    if (!names.includes(model)) throw MODEL_NOT_FOUND.withMessage("listing", listed);
    if (request.refused.includes(model)) throw NOT_ALLOWED;
    const { endpoint, speaks, max_output_tokens: most } = models.get(model);
    try {
        await HANDLERS[task]({ body, endpoint, family: FAMILIES[speaks], most, answer, cancellation });
    } catch (cause) {
        throw asCallersMistake(cause);
    }
}
