// Calls an API by Anthropic's own client for JavaScript.

import Anthropic from "@anthropic-ai/sdk";

const [baseURL, model, , question, picture] = process.argv.slice(2);
const client = new Anthropic({ baseURL: baseURL.replace(/\/v1$/, ""), apiKey: "none", maxRetries: 0 });
const options = { model, max_tokens: 16, messages: [{ role: "user", content: question }] };
const tools = [{ name: "look_up", description: "Looks up a colour.", input_schema: { type: "object" } }];
const caught = async (promise) => {
    try {
        await promise;
    } catch (error) {
        return error;
    }
};

const { input_tokens: counted } = await client.messages.countTokens({ model, messages: options.messages });
const answer = await client.messages.create(options);
const stream = client.messages.stream({ ...options, tools });
const streamed = await stream.finalMessage();
const models = await client.models.list();
const unknown = await caught(client.messages.create({ ...options, model: "nobody" }));
const source = { type: "base64", media_type: "image/png", data: picture.split(",").at(-1) };
const pictured = { ...options, messages: [{ role: "user", content: [{ type: "image", source }] }] };
const refused = await caught(client.messages.create(pictured));
if (!(unknown instanceof Anthropic.NotFoundError)) throw unknown;
if (refused && !(refused instanceof Anthropic.BadRequestError)) throw refused;

console.log(
    JSON.stringify({
        chat: answer.content[0].text,
        tokens: answer.usage.output_tokens,
        streamed: streamed.content[0].text,
        streamed_tokens: streamed.usage.output_tokens,
        counted,
        models: models.data.map(({ id }) => id),
        unknown: unknown.message,
        kind: unknown.error.error.type,
        refused: refused?.message,
        request: unknown.requestID,
    }),
);
