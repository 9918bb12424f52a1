// Checks the body of a chat before a model is asked: what costs without bound, and what servers answer with a 500.
//
// What else a server does not take, it refuses itself.
//
// Source: https://platform.openai.com/docs/api-reference/chat/create (the bounds, unless others are named)

import { boolean, checkFields, integer, refuse, texts } from "./field_checks.mjs";

const MESSAGES = 10_000;
const TOOLS = 128;
const COMPLETIONS = 128;
const TOP_LOGPROBS = 20;
const LOGIT_BIASES = 300;
const STOPS = 16; // OpenAI's own limit is 4; model servers take more
const STOP_CHARACTERS = 256;

const FIELDS = {
    stream: boolean,
    n: integer(1, COMPLETIONS),
    stop: texts(STOPS, STOP_CHARACTERS),
    top_logprobs: integer(0, TOP_LOGPROBS),
    n_probs: integer(0, TOP_LOGPROBS),
    logprobs: (name, value) => typeof value === "boolean" || integer(0, TOP_LOGPROBS)(name, value),
    logit_bias: checkLogitBias,
    tools: checkTools,
    ...Object.fromEntries(
        ["max_completion_tokens", "max_tokens", "n_predict"].map((name) => [name, integer(-1)]),
    ),
};

// Throws INVALID_BODY for what no server of a chat takes, or should.
export function checkChat(document) {
    checkMessages(document.messages);
    checkFields(document, FIELDS);
}

function checkMessages(messages) {
    if (!Array.isArray(messages) || !messages.length)
        refuse("'messages' must be a list with at least one message.");
    if (messages.length > MESSAGES)
        refuse(`'messages' has ${format(messages.length)} messages; this path takes at most ${format(MESSAGES)}.`);
    for (const [index, message] of messages.entries()) checkMessage(`messages[${index}]`, message);
}

function checkMessage(field, message) {
    if (!isObject(message)) refuse(`'${field}' must be an object with 'role' and 'content'.`);
    if (typeof message.role !== "string") refuse(`'${field}.role' must be a string such as "user".`);
    const { content } = message;
    if (content == null || typeof content === "string") return;
    if (!Array.isArray(content)) refuse(`'${field}.content' must be a string or a list of parts.`);
    for (const [index, part] of content.entries()) {
        const isPart = isObject(part) && typeof part.type === "string";
        const isText = part?.type !== "text" || typeof part.text === "string";
        if (!isPart || !isText)
            refuse(`'${field}.content[${index}]' must be a part such as {"type": "text", "text": "…"}.`);
    }
}

function checkTools(name, tools) {
    if (!Array.isArray(tools)) refuse(`'${name}' must be a list.`);
    if (tools.length > TOOLS)
        refuse(`'${name}' has ${format(tools.length)} tools; this model takes at most ${TOOLS}.`);
    for (const [index, tool] of tools.entries()) {
        const field = `${name}[${index}]`;
        if (!isObject(tool) || typeof tool.type !== "string" || (tool.type === "function" && !isObject(tool.function)))
            refuse(`'${field}' must have 'type': 'function' and an object as 'function'.`);
        if (tool.type === "function" && typeof tool.function.name !== "string")
            refuse(`'${field}.function.name' must be a string.`);
    }
}

function checkLogitBias(name, value) {
    const pairs = isObject(value) ? Object.keys(value) : value;
    if (!Array.isArray(pairs) || pairs.length > LOGIT_BIASES)
        refuse(`'${name}' must be an object of at most ${LOGIT_BIASES} tokens.`);
}

function isObject(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function format(count) {
    return count.toLocaleString("en-US");
}
