// Translates between OpenAI's bodies and those of each family of servers, by the value of `speaks` in the config.
//
// A chat family has `check(document)`, `build(document)`, `prompt(document)`, `stops(document)`,
// `read(answer, document)` and, if it streams, `readPiece(value)`; both return `{text, finish?, counted?}`, where
// `counted` is `{prompt?, completion?}` in tokens. An embeddings family has `build(document)` and `read(answer)`,
// which returns the vectors.
//
// A family that `passesThrough` uses OpenAI's own bodies, both ways: those of vLLM, SGLang and llama.cpp. The caller's
// bytes reach it without `model`, which is the name of the entry, while such a server knows its model by another name
// or none. Source: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html

import { textGenerationInference, textInputs } from "./text_generation.mjs";

const MEDIA = { task: "media" }; // what its name says, see media.mjs

export const FAMILIES = {
    "openai-transcriptions": MEDIA,
    "openai-translations": MEDIA,
    "openai-speech": MEDIA,
    "openai-images": MEDIA,
    rerank: MEDIA,
    "openai-chat": { task: "chat", passesThrough: true },
    "openai-embeddings": { task: "embeddings", passesThrough: true },
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
