// Calls Responses and Anthropic's API by Vercel's AI SDK, which chooses Responses by itself for OpenAI's.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { APICallError, generateText, streamText } from "ai";

const [baseURL, chatModel, , question, picture] = process.argv.slice(2);
const openai = createOpenAI({ baseURL, apiKey: "none" });
const anthropic = createAnthropic({ baseURL, apiKey: "none" });
const caught = async (promise) => {
    try {
        await promise;
    } catch (error) {
        if (!APICallError.isInstance(error) || error.isRetryable) throw error;
        return error.message;
    }
};
const joined = async (stream) => {
    const pieces = [];
    for await (const text of stream.textStream) pieces.push(text);
    return pieces.join("");
};

const options = { model: openai(chatModel), prompt: question, maxOutputTokens: 16 };
const answer = await generateText(options);
const stream = streamText(options);
const streamed = await joined(stream);
const asked = { ...options, model: anthropic(chatModel) };
const message = await generateText(asked);
const messageStream = streamText(asked);
const content = [{ type: "file", data: picture, mediaType: "image/png" }];

console.log(
    JSON.stringify({
        chat: answer.text,
        tokens: answer.usage.totalTokens,
        streamed,
        streamed_tokens: (await stream.usage).totalTokens,
        message: message.text,
        message_streamed: await joined(messageStream),
        message_tokens: message.usage.totalTokens,
        unknown: await caught(generateText({ ...options, model: openai("nobody") })),
        unknown_message: await caught(generateText({ ...options, model: anthropic("nobody") })),
        refused: await caught(generateText({ ...asked, prompt: undefined, messages: [{ role: "user", content }] })),
    }),
);
