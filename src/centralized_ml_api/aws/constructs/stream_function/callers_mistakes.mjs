// Finds mistakes of callers among the errors that model servers answer with a 5xx. Clients send a request with such an
// error again, two or three times, in vain.

import { MODEL_REFUSED } from "./errors.mjs";

// What these messages contain.
// Source: https://github.com/ggml-org/llama.cpp (common/chat.cpp, tools/server), its issue 15377 (pictures), and
// https://github.com/vllm-project/vllm (multimodal inputs)
const MARKS = [
    "image input is not supported",
    "audio input is not supported",
    "does not support image input",
    "does not support audio input",
    "does not support multimodal requests",
    "is not a multimodal model",
    "Failed to parse messages: ",
    "Failed to parse tools: ",
    "Missing 'role' in message",
    "Unsupported content part type: ",
    "Unknown reasoning format",
];

// Returns MODEL_REFUSED with the server's message for such an error, and any other as it is.
export function asCallersMistake(cause) {
    const body = cause.OriginalMessage ?? "";
    const isMistake = cause.OriginalStatusCode >= 500 && MARKS.some((mark) => body.includes(mark));
    return isMistake ? MODEL_REFUSED.saying(messageIn(body)) : cause;
}

function messageIn(body) {
    try {
        const { error, message } = JSON.parse(body);
        return [error?.message, error, message].find((text) => typeof text === "string") ?? body;
    } catch {
        return body;
    }
}
