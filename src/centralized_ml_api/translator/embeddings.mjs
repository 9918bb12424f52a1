// Translates OpenAI's embeddings to what InvokeModel takes for the models of Amazon Bedrock that embed: Amazon's Titan, one
// text a call, and Cohere's Embed.
//
// Sources: https://platform.openai.com/docs/api-reference/embeddings/create,
// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html, titan-embed-mm.html and
// model-parameters-embed.html there

import { withoutUndefined } from "./call.mjs";
import { Untranslatable, refuseField, refuseValue } from "./untranslatable.mjs";

const BYTES_PER_TOKEN = 4; // where a server counts none
const COHERES_TEXTS = 96;
const FORMATS = ["float", "base64"];
const IS_TITAN = /titan-embed/i;
const IS_TITAN_OF_IMAGES = /titan-embed-image/i;
const IS_TITAN_V1 = /titan-embed-text-v1|titan-embed-g1/i;

// Reads the body of a client. Throws Untranslatable.
export function readEmbeddingsCall({ model, input, dimensions, encoding_format: format, input_type: kind }) {
    const texts = [input].flat();
    if (!texts.length || !texts.every((text) => typeof text === "string" && text))
        refuseValue("input", "a text or a list of texts: this model takes no tokens");
    if (dimensions !== undefined && !(Number.isInteger(dimensions) && dimensions > 0))
        refuseValue("dimensions", "a whole number, at least 1");
    if (format !== undefined && !FORMATS.includes(format)) refuseValue("encoding_format", "'float' or 'base64'");
    if (kind !== undefined && typeof kind !== "string") refuseValue("input_type", "a text");
    return { stream: false, model, texts, dimensions, kind, isBase64: format === "base64" };
}

// Builds the body that the model gets. Throws Untranslatable.
export function buildInvokeBody({ texts, dimensions, kind }, { model }) {
    if (!IS_TITAN.test(model)) return buildCohere(texts, dimensions, kind);
    if (kind !== undefined) refuseField("input_type");
    if (texts.length > 1)
        throw new Untranslatable("input", "'input' may have one text: this model embeds one at a time. Send a call for each.");
    const [inputText] = texts;
    if (dimensions === undefined) return { inputText };
    if (IS_TITAN_V1.test(model)) refuseField("dimensions", "this model's embeddings have a fixed size");
    if (IS_TITAN_OF_IMAGES.test(model)) return { inputText, embeddingConfig: { outputEmbeddingLength: dimensions } };
    return { inputText, dimensions };
}

// Cohere's models want to know what the texts are for; OpenAI's API has no word for it.
function buildCohere(texts, dimensions, kind = "search_document") {
    if (texts.length > COHERES_TEXTS)
        throw new Untranslatable("input", `'input' may have ${COHERES_TEXTS} texts, not ${texts.length}.`);
    return withoutUndefined({ texts, input_type: kind, embedding_types: ["float"], output_dimension: dimensions });
}

// Returns the path that takes a call of a model, by its id or ARN.
export function buildInvokePath(model) {
    return `/model/${encodeURIComponent(model)}/invoke`;
}

// Reads the answer of a model: its vectors, and how many tokens it has read, if it says so. Throws an Error where it is none.
export function readInvokeAnswer({ embedding, embeddings, inputTextTokenCount: tokens }) {
    const vectors = embedding ? [embedding] : (embeddings?.float ?? embeddings);
    if (!Array.isArray(vectors) || !vectors.every(Array.isArray)) throw new Error("the answer has no embeddings");
    return { vectors, tokens };
}

// Writes the body that the client gets.
export function writeEmbeddings({ vectors, tokens }, { asked: { texts, isBase64 }, model }) {
    const encode = isBase64 ? encodeBase64 : (vector) => vector;
    const data = vectors.map((vector, index) => ({ object: "embedding", index, embedding: encode(vector) }));
    const read = tokens ?? Math.ceil(Buffer.byteLength(texts.join("")) / BYTES_PER_TOKEN);
    return { object: "list", data, model, usage: { prompt_tokens: read, total_tokens: read } };
}

// Encodes a vector as OpenAI's own client asks for it: 32-bit floats, little-endian.
function encodeBase64(vector) {
    return Buffer.from(new Float32Array(vector).buffer).toString("base64");
}
