// Reads the body of a client of OpenAI's Chat Completions.
//
// Source: https://platform.openai.com/docs/api-reference/chat/create

import { addPart, newCall } from "./call.mjs";
import {
    argumentsAt, booleanAt, listAt, mediaOf, numberAt, objectAt, readFields, stringAt,
} from "./content.mjs";
import { refuseField, refuseValue } from "./untranslatable.mjs";

// Fields with which no answer is another one: where it is billed, kept, cached, or how its bytes are packed.
const IGNORED = [
    "metadata", "moderation", "prediction", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
    "safety_identifier", "service_tier", "store", "user",
];

// Fields whose usual values ask for nothing.
const ONLY = {
    audio: [],
    frequency_penalty: [0],
    logit_bias: [{}],
    logprobs: [false],
    modalities: [["text"]],
    n: [1],
    presence_penalty: [0],
    top_logprobs: [0],
    verbosity: ["medium"],
};

const NAMES = {
    maxTokens: "max_completion_tokens",
    parallelTools: "parallel_tool_calls",
    effort: "reasoning_effort",
    stops: "stop",
    format: "response_format",
    topP: "top_p",
    toolChoice: "tool_choice",
};

// Reads a body. Throws Untranslatable.
export function readChatCall(body) {
    const call = newCall(NAMES, { formatByTool: true });
    const setNumber = (key) => (value, at) => (call[key] = numberAt(at, value));
    readFields(objectAt("body", body), {
        model: (value, at) => (call.model = stringAt(at, value)),
        messages: (value, at) => listAt(at, value).forEach((each, index) => readMessage(call, each, `${at}[${index}]`)),
        stream: (value, at) => (call.stream = booleanAt(at, value)),
        stream_options: (value, at) => (call.includeUsage = objectAt(at, value).include_usage === true),
        max_tokens: (value, at) => (call.maxTokens ??= numberAt(at, value)),
        max_completion_tokens: setNumber("maxTokens"),
        temperature: setNumber("temperature"),
        top_p: setNumber("topP"),
        stop: (value, at) => (call.stops = [value].flat().map((stop) => stringAt(at, stop))),
        reasoning_effort: (value, at) => (call.effort = stringAt(at, value)),
        parallel_tool_calls: (value, at) => (call.parallelTools = booleanAt(at, value)),
        tools: (value, at) => (call.tools = listAt(at, value).map((tool, index) => readTool(tool, `${at}[${index}]`))),
        tool_choice: (value, at) => (call.toolChoice = readToolChoice(value, at)),
        response_format: (value, at) => (call.format = readFormat(value, at)),
    }, { only: ONLY, ignored: IGNORED });
    if (!call.turns.length) refuseValue("messages", "a list with a message of the user");
    return call;
}

function readMessage(call, value, at) {
    const message = objectAt(at, value);
    const read = MESSAGES[message.role];
    if (!read) refuseValue(`${at}.role`, `one of ${Object.keys(MESSAGES).join(", ")}`);
    read(call, message, at);
}

// `name` tells participants of one role apart; other APIs know no names.
const MESSAGES = {
    system: readSystem,
    developer: readSystem,
    user: (call, { role, content, name: _, ...rest }, at) => {
        readFields(rest, {}, { at });
        for (const part of readContent(content, `${at}.content`)) addPart(call.turns, role, part);
    },
    assistant: readAssistant,
    tool: (call, { role: _, name: __, content, tool_call_id: id, ...rest }, at) => {
        readFields(rest, {}, { at });
        const parts = readContent(content, `${at}.content`);
        const result = { type: "result", id: stringAt(`${at}.tool_call_id`, id), isError: false, parts, at };
        addPart(call.turns, "user", result);
    },
};

function readSystem(call, { role: _, name: __, content, ...rest }, at) {
    readFields(rest, {}, { at });
    for (const part of readContent(content, `${at}.content`)) {
        if (part.type !== "text") refuseField(part.at, "these messages have text alone");
        call.system.push(part);
    }
}

function readAssistant(call, message, at) {
    const add = (part) => addPart(call.turns, "assistant", part);
    readFields(message, {
        content: (value, place) => readContent(value, place).forEach(add),
        refusal: (value, place) => add({ type: "text", text: stringAt(place, value), at: place }),
        tool_calls: (value, place) =>
            listAt(place, value).forEach((each, index) => add(readToolCall(each, `${place}[${index}]`))),
        // Thoughts of earlier answers, which their model does not need.
    }, { ignored: ["role", "name", "reasoning", "reasoning_content", "annotations"], only: { audio: [] }, at });
}

function readToolCall(value, at) {
    const { id, type, function: called } = objectAt(at, value);
    if (type !== undefined && type !== "function") refuseField(`${at}.type`, "functions are the only tools here");
    const { name, arguments: text } = objectAt(`${at}.function`, called);
    const input = argumentsAt(`${at}.function.arguments`, text ?? "");
    return { type: "tool", id: stringAt(`${at}.id`, id), name: stringAt(`${at}.function.name`, name), input, at };
}

function readContent(content, at) {
    if (typeof content === "string") return [{ type: "text", text: content, at }];
    return listAt(at, content).map((each, index) => readPart(each, `${at}[${index}]`));
}

function readPart(value, at) {
    const part = objectAt(at, value);
    switch (part.type) {
        case "text":
            return { type: "text", text: stringAt(`${at}.text`, part.text), at };
        case "refusal":
            return { type: "text", text: stringAt(`${at}.refusal`, part.refusal), at };
        case "image_url":
            return mediaOf("image", objectAt(`${at}.image_url`, part.image_url).url, `${at}.image_url.url`);
        case "file": {
            const { file_data: data, filename, file_id: id } = objectAt(`${at}.file`, part.file);
            if (id !== undefined) refuseField(`${at}.file.file_id`, "send the file itself, as file_data");
            return mediaOf("document", data, `${at}.file.file_data`, filename);
        }
        default:
            return refuseField(`${at}.type`, "text, images and files are the only parts here");
    }
}

function readTool(value, at) {
    const { type, function: described } = objectAt(at, value);
    if (type !== "function") refuseField(`${at}.type`, "functions are the only tools here");
    const { name, description, parameters, strict } = objectAt(`${at}.function`, described);
    const schema = parameters ?? { type: "object", properties: {} };
    return { name: stringAt(`${at}.function.name`, name), description, schema, strict: strict || undefined };
}

function readToolChoice(value, at) {
    const simple = { auto: "auto", none: "none", required: "any" }[value];
    if (simple) return { type: simple };
    const { type, function: named } = objectAt(at, value);
    if (type !== "function") refuseField(`${at}.type`, "a function, auto, none or required are the only choices");
    return { type: "tool", name: stringAt(`${at}.function.name`, objectAt(`${at}.function`, named).name) };
}

function readFormat(value, at) {
    const { type, json_schema: described } = objectAt(at, value);
    if (type === "text") return undefined;
    if (type === "json_object") return { type };
    if (type !== "json_schema") refuseField(`${at}.type`);
    const { name, description, schema } = objectAt(`${at}.json_schema`, described);
    return { type, name, description, schema: objectAt(`${at}.json_schema.schema`, schema) };
}
