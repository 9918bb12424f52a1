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

import { refuse } from "./field_checks.mjs";

const SPEAKERS = { user: "User", assistant: "Assistant" };
const INSTRUCTION_ROLES = ["system", "developer"];
const MEDIA = {
    image_url: "pictures",
    input_image: "pictures",
    input_audio: "audio",
    audio_url: "audio",
    input_video: "video",
    video_url: "video",
    file: "files",
    input_file: "files",
};

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

// Checks what only such servers do not take; `messages` is a list of messages.
export function checkMessages(messages) {
    for (const [index, message] of messages.entries()) {
        const { role } = message;
        if (!Object.hasOwn(SPEAKERS, role) && !INSTRUCTION_ROLES.includes(role))
            refuse("This model accepts only the roles system, developer, user and assistant.");
        checkContent(`messages[${index}].content`, message.content);
    }
}

function checkContent(field, content) {
    if (content == null) refuse(`'${field}' is missing.`);
    if (typeof content === "string") return;
    const index = content.findIndex(({ type }) => type !== "text");
    if (index < 0) return;
    const what = MEDIA[content[index].type] ?? `a part of the type "${content[index].type}"`;
    refuse(`This model reads text alone: '${field}[${index}]' has ${what}.`);
}

function isSingleTurn(messages) {
    return messages.length === 1 && messages[0].role === "user";
}

function textOf({ content }) {
    return typeof content === "string" ? content : content.map(({ text }) => text).join("\n");
}
