// Renders a conversation as one text, for servers without roles.
//
// A single user message is the text itself. Otherwise the system messages come first, then each turn on a line with
// its speaker's name, and the text ends where the assistant's next turn begins:
//
//     You are brief.
//
//     User: Hi
//     Assistant: Hello!
//     User: What is AWS?
//     Assistant:

import { unsupported } from "./errors.mjs";

const SPEAKERS = { user: "User", assistant: "Assistant" };
const INSTRUCTION_ROLES = ["system", "developer"];

export function buildPrompt(messages) {
    if (isSingleTurn(messages)) return textOf(messages[0]);
    const instructions = messages.filter(({ role }) => INSTRUCTION_ROLES.includes(role)).map(textOf);
    const turns = messages.filter(({ role }) => !INSTRUCTION_ROLES.includes(role));
    const lines = turns.map((message) => `${SPEAKERS[message.role]}: ${textOf(message)}`);
    return [...instructions, [...lines, "Assistant:"].join("\n")].join("\n\n");
}

// Returns the stop sequences that keep the model from writing the user's next turn.
export function promptStops(messages) {
    return isSingleTurn(messages) ? [] : ["\nUser:"];
}

export function checkMessages(messages) {
    if (!Array.isArray(messages) || !messages.length)
        throw unsupported("`messages` must be a non-empty list.");
    for (const message of messages) {
        const role = message?.role;
        if (!Object.hasOwn(SPEAKERS, role) && !INSTRUCTION_ROLES.includes(role)) {
            throw unsupported(
                "This model accepts only the roles system, developer, user and assistant.",
            );
        }
        textOf(message);
    }
}

function isSingleTurn(messages) {
    return messages.length === 1 && messages[0].role === "user";
}

function textOf({ content }) {
    const parts = typeof content === "string" ? [{ type: "text", text: content }] : content;
    if (
        !Array.isArray(parts) ||
        !parts.every((part) => part?.type === "text" && typeof part.text === "string")
    ) {
        throw unsupported("This model accepts only text in messages.");
    }
    return parts.map((part) => part.text).join("\n");
}
