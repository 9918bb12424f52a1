// Answers `POST /v1/chat/completions` and `POST /v1/embeddings` with the entry that the body names, whatever its
// family.
//
// Source: https://platform.openai.com/docs/api-reference

import { answerChat } from "./chat.mjs";
import { MODEL_FAILED, MODEL_MISSING, MODEL_NOT_FOUND, NOT_ALLOWED, unsupported } from "./errors.mjs";
import { FAMILIES } from "./families.mjs";
import { invoke, readModelJson } from "./invoke.mjs";

const LENGTHS = ["max_completion_tokens", "max_tokens", "n_predict"];
const HANDLERS = { chat: answerChat, embeddings: answerEmbeddings };

export async function answerOpenAi(task, request, models, answer, cancellation) {
    const body = readBody(request.body);
    const names = [...models]
        .filter(([, model]) => FAMILIES[model.speaks]?.task === task)
        .map(([name]) => name);
    const listed = { models: names.join(", ") || "none" };
    if (typeof body?.model !== "string") throw MODEL_MISSING.withMessage("listing", listed);
    if (!names.includes(body.model)) throw MODEL_NOT_FOUND.withMessage("listing", listed);
    if (request.refused.includes(body.model)) throw NOT_ALLOWED;
    const { endpoint, speaks, max_output_tokens: most } = models.get(body.model);
    const limited = most && task === "chat" ? limitOutput(body, most) : body;
    await HANDLERS[task]({ body: limited, endpoint, family: FAMILIES[speaks], answer, cancellation });
}

// Lets the model answer with `most` tokens at most, and with so many if the request names no number. A server reads
// one of the first two names, llama.cpp also the third. Anything but a number within the limit is replaced, because
// servers take "9999" for a number, and -1 for no limit.
function limitOutput(body, most) {
    const asked = LENGTHS.filter((name) => body[name] != null);
    const names = asked.some((name) => name !== "n_predict") ? asked : [...asked, "max_tokens"];
    const isWithin = (length) => Number.isInteger(length) && length >= 0 && length <= most;
    return {
        ...body,
        ...Object.fromEntries(names.map((name) => [name, isWithin(body[name]) ? body[name] : most])),
    };
}

function readBody(bytes) {
    try {
        return JSON.parse(bytes.toString("utf8"));
    } catch {
        return null;
    }
}

async function answerEmbeddings({ body, endpoint, family, answer, cancellation }) {
    if (!family.passesThrough) checkEmbeddings(body);
    const { headers, bytes } = await invoke(endpoint, family.build(body), cancellation);
    if (family.passesThrough) return answer.send(200, headers, bytes);
    const vectors = family.read(readModelJson(bytes));
    if (!Array.isArray(vectors) || !vectors.every(Array.isArray)) {
        throw MODEL_FAILED.withMessage("not_embeddings");
    }
    return answer.sendJson(buildList(body, vectors));
}

function checkEmbeddings({ input, dimensions }) {
    const texts = [input].flat();
    if (!texts.length || !texts.every((text) => typeof text === "string")) {
        throw unsupported("`input` must be a string or a list of strings: this model does not accept tokens.");
    }
    if (dimensions !== undefined)
        throw unsupported("This model's embeddings have a fixed size: remove `dimensions`.");
}

function buildList({ model, encoding_format: format }, vectors) {
    const encode = format === "base64" ? encodeBase64 : (vector) => vector;
    const data = vectors.map((vector, index) => ({ object: "embedding", index, embedding: encode(vector) }));
    return { object: "list", data, model };
}

// Encodes a vector as OpenAI's own client asks for it: 32-bit floats, little-endian.
function encodeBase64(vector) {
    return Buffer.from(new Float32Array(vector).buffer).toString("base64");
}
