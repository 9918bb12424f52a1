// Calls an API by Vercel's AI SDK.

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, embedMany, generateText, streamText } from "ai";

const [baseURL, chatModel, embeddingModel, question, picture] = process.argv.slice(2);
const provider = createOpenAICompatible({ name: "api", baseURL, apiKey: "none", includeUsage: true });
const caught = async (promise) => {
    try {
        await promise;
    } catch (error) {
        if (!APICallError.isInstance(error) || error.isRetryable) throw error;
        return error.message;
    }
};

const options = { model: provider(chatModel), prompt: question, maxOutputTokens: 16 };
const answer = await generateText(options);
const stream = streamText(options);
const pieces = [];
for await (const text of stream.textStream) pieces.push(text);
const { embeddings, usage } = await embedMany({
    model: provider.embeddingModel(embeddingModel),
    values: ["one", "two"],
});
const content = [{ type: "file", data: picture, mediaType: "image/png" }];

console.log(
    JSON.stringify({
        chat: answer.text,
        tokens: answer.usage.totalTokens,
        streamed: pieces.join(""),
        streamed_tokens: (await stream.usage).totalTokens,
        vectors: embeddings.map((vector) => vector.length),
        embedding_tokens: usage.tokens,
        unknown: await caught(generateText({ ...options, model: provider("nobody") })),
        refused: await caught(
            generateText({ model: options.model, messages: [{ role: "user", content }], maxOutputTokens: 16 }),
        ),
    }),
);
