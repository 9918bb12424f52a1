// Servers of OpenAI's own bodies, such as vLLM, SGLang and llama.cpp: bodies pass as they are, both ways.
//
// Only `model` is left out: it is our name of the entry, and such a server knows its model by another one or
// takes none.
// Source: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html

function withoutModel({ model, ...asked }) {
    return asked;
}

export const openaiChat = { task: "chat", passes: true, check: () => {}, build: withoutModel };
export const openaiEmbeddings = { task: "embeddings", passes: true, build: withoutModel };
