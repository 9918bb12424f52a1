// Embeddings.

import { MODEL_FAILED, unsupported } from "./errors.mjs";
import { readJson } from "./chat.mjs";
import { invoke, jsonCall } from "./invoke.mjs";

export async function answerEmbeddings({ asked, endpoint, family, answer, watch }) {
    if (!family.passes) check(asked);
    const { headers, body } = await invoke(
        endpoint,
        jsonCall(family.build(asked), "application/json"),
        watch,
    );
    if (family.passes) return answer.send(200, headers, body);
    const vectors = family.read(readJson(body));
    if (!Array.isArray(vectors) || !vectors.every(Array.isArray)) {
        throw MODEL_FAILED.saying("The model answered something that is not a list of embeddings.");
    }
    return answer.send(200, { "content-type": "application/json" }, JSON.stringify(listOf(asked, vectors)));
}

function check({ input, dimensions }) {
    const texts = [input].flat();
    if (!texts.length || !texts.every((text) => typeof text === "string")) {
        throw unsupported("`input` must be a text or a list of texts: this model takes no tokens.");
    }
    if (dimensions !== undefined)
        throw unsupported("This model's embeddings have one size; leave out `dimensions`.");
}

function listOf({ model, encoding_format: format }, vectors) {
    const encode = format === "base64" ? base64 : (vector) => vector;
    const data = vectors.map((vector, index) => ({ object: "embedding", index, embedding: encode(vector) }));
    return { object: "list", data, model };
}

// 32-bit floats, little-endian: what OpenAI's own client asks for.
function base64(vector) {
    return Buffer.from(new Float32Array(vector).buffer).toString("base64");
}
