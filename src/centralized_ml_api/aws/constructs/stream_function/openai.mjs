// `POST /v1/chat/completions` and `POST /v1/embeddings`: the entry that the body names, whatever it speaks.
//
// Source: https://platform.openai.com/docs/api-reference

import { answerChat } from "./chat.mjs";
import { answerEmbeddings } from "./embeddings.mjs";
import { MODEL_MISSING, NOT_ALLOWED, UNKNOWN_MODEL } from "./errors.mjs";
import { FAMILIES } from "./families/all.mjs";

const ANSWERING = { chat: answerChat, embeddings: answerEmbeddings };

export async function answerOpenAi(task, request, models, answer, watch) {
    const asked = readBody(request.body);
    const names = [...models]
        .filter(([, model]) => FAMILIES[model.speaks]?.task === task)
        .map(([name]) => name);
    if (typeof asked?.model !== "string") throw listing(MODEL_MISSING, names);
    if (!names.includes(asked.model)) throw listing(UNKNOWN_MODEL, names);
    if (request.refused.includes(asked.model)) throw NOT_ALLOWED;
    const model = models.get(asked.model);
    await ANSWERING[task]({ asked, endpoint: model.endpoint, family: FAMILIES[model.speaks], answer, watch });
}

function readBody(bytes) {
    try {
        return JSON.parse(bytes.toString("utf8"));
    } catch {
        return null;
    }
}

function listing(error, names) {
    return error.saying(`${error.message} There are: ${names.join(", ") || "none"}.`);
}
