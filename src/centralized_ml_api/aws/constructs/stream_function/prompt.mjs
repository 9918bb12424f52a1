// A conversation as one text, for servers that know no roles.
//
// A single message of the user is the text itself. Otherwise the system's messages come first, then each turn
// on a line with its speaker's name, and the text ends where the assistant's next turn begins:
//
//     You are brief.
//
//     User: Hi
//     Assistant: Hello!
//     User: What is AWS?
//     Assistant:

import { unsupported } from "./errors.mjs";

const SPEAKERS = { user: "User", assistant: "Assistant" };
const INSTRUCTING = ["system", "developer"];

export function buildPrompt(messages) {
    if (isSingleTurn(messages)) return textOf(messages[0]);
    const instructions = messages.filter(({ role }) => INSTRUCTING.includes(role)).map(textOf);
    const turns = messages.filter(({ role }) => !INSTRUCTING.includes(role));
    const lines = turns.map((message) => `${SPEAKERS[message.role]}: ${textOf(message)}`);
    return [...instructions, [...lines, "Assistant:"].join("\n")].join("\n\n");
}

// Stops the model from going on with the user's next turn.
export function promptStops(messages) {
    return isSingleTurn(messages) ? [] : ["\nUser:"];
}

export function checkMessages(messages) {
    if (!Array.isArray(messages) || !messages.length)
        throw unsupported("`messages` must be a list that is not empty.");
    for (const message of messages) {
        const role = message?.role;
        if (!Object.hasOwn(SPEAKERS, role) && !INSTRUCTING.includes(role)) {
            throw unsupported(
                "This model takes messages of the roles system, developer, user and assistant.",
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
        throw unsupported("This model takes messages of text alone.");
    }
    return parts.map((part) => part.text).join("\n");
}
