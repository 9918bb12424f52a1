// Translates between OpenAI's bodies and those of each family of servers, by the value of `speaks` in the config.
//
// A chat family has `check(body)`, `build(body)`, `stops(body)`, `read(answer, body)` and, if it streams,
// `readPiece(value)`; both return `{text, finish?, usage?}`. An embeddings family has `build(body)` and
// `read(answer)`, which returns the vectors. A family that `passesThrough` uses OpenAI's own bodies, both ways.

import { textGenerationInference, textInputs } from "./text_generation.mjs";

// Leaves out `model`, the only change for servers with OpenAI's API, such as vLLM, SGLang and llama.cpp: it is the
// name of the entry, while such a server knows its model by another name or none.
// Source: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
function withoutModel({ model, ...body }) {
    return body;
}

export const FAMILIES = {
    "openai-chat": { task: "chat", passesThrough: true, check: () => {}, build: withoutModel },
    "openai-embeddings": { task: "embeddings", passesThrough: true, build: withoutModel },
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
