// Meets a budget that is used up, and a rate, by Anthropic's own client for JavaScript, which tries again.

import Anthropic from "@anthropic-ai/sdk";

const [baseURL, model, spentKey, slowKey] = process.argv.slice(2);
let asked = 0;
const counting = (...request) => {
    asked += 1;
    return fetch(...request);
};
const [spent, slow] = [spentKey, slowKey].map(
    (apiKey) => new Anthropic({ baseURL: baseURL.replace(/\/v1$/, ""), apiKey, fetch: counting }).messages,
);
const call = { model, messages: [{ role: "user", content: "Hi" }], max_tokens: 16 };

const refused = await spent.create(call).catch((error) => error);
if (!(refused instanceof Anthropic.RateLimitError)) throw refused;
const refusedAfter = asked;
await slow.create(call);
asked = 0;
const waited = await slow.create(call);

const [{ text }] = waited.content;
console.log(
    JSON.stringify({ refused: refused.message, refused_after: refusedAfter, waited: text, waited_after: asked }),
);
