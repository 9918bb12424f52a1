// Answers embeddings.

import { MODEL_FAILED } from "./errors.mjs";
import { refuse } from "./field_checks.mjs";
import { invoke, readModelJson } from "./invoke.mjs";
import { listMeasured } from "./needs.mjs";
import { noteUsage, parse } from "./provider_answers.mjs";
import { embeddingsUsage } from "./usage.mjs";

// Source: https://platform.openai.com/docs/api-reference/embeddings/create
const INPUTS = 2048;
const EMBEDDINGS_PATH = "/v1/embeddings";

export async function answerEmbeddings({ body, address, family, expense, answer, cancellation }) {
    const { document } = body;
    checkCount(document.input);
    if (family.passesThrough) {
        const text = body.withoutModel({}, expense.members ? listMeasured(EMBEDDINGS_PATH) : []);
        const usage = {};
        await expense.reserve();
        const { headers, bytes } = await invoke(address, text, cancellation);
        if (expense.isCounted) noteUsage(parse(Buffer.from(bytes).toString("utf8")), usage);
        expense.noteUsage(usage);
        return answer.send(200, headers, bytes);
    }
    check(document);
    const asked = JSON.stringify(family.build(document));
    await expense.reserve();
    const { bytes } = await invoke(address, asked, cancellation);
    const vectors = family.read(readModelJson(bytes));
    if (!Array.isArray(vectors) || !vectors.every(Array.isArray)) {
        throw MODEL_FAILED.withMessage("not_embeddings");
    }
    const usage = embeddingsUsage([document.input].flat());
    expense.noteUsage({ tokens_in: usage.prompt_tokens }, true);
    return answer.sendJson(buildList(document, vectors, usage));
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

function buildList({ model, encoding_format: format }, vectors, usage) {
    const encode = format === "base64" ? encodeBase64 : (vector) => vector;
    const data = vectors.map((vector, index) => ({ object: "embedding", index, embedding: encode(vector) }));
    return { object: "list", data, model, usage };
}

// Encodes a vector as OpenAI's own client asks for it: 32-bit floats, little-endian.
function encodeBase64(vector) {
    return Buffer.from(new Float32Array(vector).buffer).toString("base64");
}
