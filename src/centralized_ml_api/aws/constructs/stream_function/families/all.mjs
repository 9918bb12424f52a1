// What each kind of server speaks, by the config's word for it.
//
// A family of chat has `check(asked)`, `build(asked)`, `stops(asked)`, `read(answer, asked)` and, where it
// streams, `readPiece(value)`; both give `{text, finish?, usage?}`. A family of embeddings has `build(asked)`
// and `read(answer)`, which gives the vectors. One that `passes` takes OpenAI's own bodies and answers in them.

import { openaiChat, openaiEmbeddings } from "./openai.mjs";
import { textEmbeddingsInference } from "./text_embeddings_inference.mjs";
import { textGenerationInference } from "./text_generation_inference.mjs";
import { textInputs } from "./text_inputs.mjs";
import { textInputsEmbeddings } from "./text_inputs_embeddings.mjs";

export const FAMILIES = {
    "openai-chat": openaiChat,
    "openai-embeddings": openaiEmbeddings,
    "text-embeddings-inference": textEmbeddingsInference,
    "text-generation-inference": textGenerationInference,
    "text-inputs": textInputs,
    "text-inputs-embeddings": textInputsEmbeddings,
};
