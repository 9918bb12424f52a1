// Answers embeddings.

import { MODEL_FAILED } from "./errors.mjs";
import { refuse } from "./field_checks.mjs";
import { invoke, readModelJson } from "./invoke.mjs";
import { embeddingsUsage } from "./usage.mjs";

// Source: https://platform.openai.com/docs/api-reference/embeddings/create
const INPUTS = 2048;

export async function answerEmbeddings({ body, address, family, answer, cancellation }) {
    const { document } = body;
    checkCount(document.input);
    if (family.passesThrough) {
        const { headers, bytes } = await invoke(address, body.withoutModel(), cancellation);
        return answer.send(200, headers, bytes);
    }
    check(document);
    const { bytes } = await invoke(address, JSON.stringify(family.build(document)), cancellation);
    const vectors = family.read(readModelJson(bytes));
    if (!Array.isArray(vectors) || !vectors.every(Array.isArray)) {
        throw MODEL_FAILED.withMessage("not_embeddings");
    }
    return answer.sendJson(buildList(document, vectors));
}

// A list of numbers is one input, given as tokens.
function checkCount(input) {
    const isTokens = Array.isArray(input) && input.every((value) => typeof value === "number");
    if (!Array.isArray(input) || isTokens || input.length <= INPUTS) return;
    const [count, most] = [input.length, INPUTS].map((value) => value.toLocaleString("en-US"));
    refuse(`'input' has ${count} texts; this path takes at most ${most}.`);
}

function check({ input, dimensions }) {
    const texts = [input].flat();
    if (!texts.length || !texts.every((text) => typeof text === "string"))
        refuse("'input' must be a string or a list of strings: this model does not accept tokens.");
    if (dimensions !== undefined) refuse("This model's embeddings have a fixed size: remove 'dimensions'.");
}

function buildList({ model, input, encoding_format: format }, vectors) {
    const encode = format === "base64" ? encodeBase64 : (vector) => vector;
    const data = vectors.map((vector, index) => ({ object: "embedding", index, embedding: encode(vector) }));
    return { object: "list", data, model, usage: embeddingsUsage([input].flat()) };
}

// Encodes a vector as OpenAI's own client asks for it: 32-bit floats, little-endian.
function encodeBase64(vector) {
    return Buffer.from(new Float32Array(vector).buffer).toString("base64");
}
