// What each kind of server speaks, by the config's word for it.
//
// A family of chat has `check(body)`, `build(body)`, `stops(body)`, `read(answer, body)` and, where it
// streams, `readPiece(value)`; both return `{text, finish?, usage?}`. A family of embeddings has `build(body)`
// and `read(answer)`, which returns the vectors. One that `passes` takes OpenAI's own bodies and answers in them.

import { textGenerationInference, textInputs } from "./text_generation.mjs";

// Servers of OpenAI's own bodies, such as vLLM, SGLang and llama.cpp: bodies pass unchanged, both ways.
//
// Only `model` is left out: it is our name of the entry, and such a server knows its model by another one or
// takes none.
// Source: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
function withoutModel({ model, ...body }) {
    return body;
}

export const FAMILIES = {
    "openai-chat": { task: "chat", passes: true, check: () => {}, build: withoutModel },
    "openai-embeddings": { task: "embeddings", passes: true, build: withoutModel },
    // Hugging Face's TEI. Source: https://huggingface.github.io/text-embeddings-inference (POST /embed)
    "text-embeddings-inference": {
        task: "embeddings",
        build: ({ input }) => ({ inputs: [input].flat() }),
        read: (answer) => answer,
    },
    "text-generation-inference": textGenerationInference,
    "text-inputs": textInputs,
    // JumpStart's older containers of sentence embeddings.
    // Source: https://github.com/aws/amazon-sagemaker-examples (JumpStart text embedding notebooks)
    "text-inputs-embeddings": {
        task: "embeddings",
        build: ({ input }) => ({ text_inputs: [input].flat() }),
        read: (answer) => answer?.embedding,
    },
};
