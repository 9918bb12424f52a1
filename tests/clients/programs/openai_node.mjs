// Calls an API by OpenAI's own client for JavaScript.

import OpenAI from "openai";

const [baseURL, chatModel, embeddingModel, question, picture] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "none" });
const messages = [{ role: "user", content: question }];
const caught = async (promise) => {
    try {
        await promise;
    } catch (error) {
        return error;
    }
};

const options = { model: chatModel, messages, max_tokens: 16 };
const answer = await client.chat.completions.create(options);
const chunks = [];
const stream = await client.chat.completions.create({
    ...options,
    stream: true,
    stream_options: { include_usage: true },
});
for await (const chunk of stream) chunks.push(chunk);
const embeddings = await client.embeddings.create({ model: embeddingModel, input: ["one", "two"] });
const unknown = await caught(client.chat.completions.create({ ...options, model: "nobody" }));
const part = { type: "image_url", image_url: { url: picture } };
const refused = await caught(
    client.chat.completions.create({ ...options, messages: [{ role: "user", content: [part] }] }),
);
if (!(unknown instanceof OpenAI.NotFoundError && refused instanceof OpenAI.BadRequestError)) throw refused;

console.log(
    JSON.stringify({
        chat: answer.choices[0].message.content,
        tokens: answer.usage.total_tokens,
        streamed: chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""),
        streamed_tokens: chunks.at(-1).usage.total_tokens,
        vectors: embeddings.data.map(({ embedding }) => embedding.length),
        embedding_tokens: embeddings.usage.total_tokens,
        unknown: unknown.message,
        refused: refused.message,
    }),
);
