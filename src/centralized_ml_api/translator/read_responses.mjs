// Reads the body of a client of OpenAI's Responses.
//
// Source: https://platform.openai.com/docs/api-reference/responses/create

import { addPart, newCall } from "./call.mjs";
import {
    argumentsAt, booleanAt, listAt, mediaOf, numberAt, objectAt, readFields, stringAt,
} from "./content.mjs";
import { refuseField, refuseValue } from "./untranslatable.mjs";

// Fields with which no answer is another one. Nothing is stored, whatever `store` says: what would need it is refused.
const IGNORED = [
    "client_metadata", "max_tool_calls", "metadata", "moderation", "prompt_cache_key", "prompt_cache_options",
    "prompt_cache_retention", "safety_identifier", "service_tier", "store", "stream_options", "user",
];

const ONLY = {
    background: [false],
    include: [[], ["reasoning.encrypted_content"]],
    top_logprobs: [0],
    truncation: ["disabled"],
};

const NAMES = {
    maxTokens: "max_output_tokens",
    parallelTools: "parallel_tool_calls",
    effort: "reasoning.effort",
    format: "text.format",
    topP: "top_p",
    toolChoice: "tool_choice",
};

const SEARCH = /^web_search/;

// What the answer repeats of the body.
const ECHOED = [
    "instructions", "max_output_tokens", "metadata", "parallel_tool_calls", "reasoning", "temperature", "text",
    "tool_choice", "tools", "top_p", "user",
];

// Reads a body. Throws Untranslatable.
export function readResponsesCall(body) {
    const call = newCall(NAMES, { formatByTool: true });
    const fields = objectAt("body", body);
    const setNumber = (key) => (value, at) => (call[key] = numberAt(at, value));
    readFields(fields, {
        model: (value, at) => (call.model = stringAt(at, value)),
        instructions: (value, at) => call.system.unshift({ type: "text", text: stringAt(at, value), at }),
        input: (value, at) => readInput(call, value, at),
        stream: (value, at) => (call.stream = booleanAt(at, value)),
        max_output_tokens: setNumber("maxTokens"),
        temperature: setNumber("temperature"),
        top_p: setNumber("topP"),
        parallel_tool_calls: (value, at) => (call.parallelTools = booleanAt(at, value)),
        reasoning: (value, at) => readFields(objectAt(at, value), {
            effort: (effort, place) => (call.effort = stringAt(place, effort)),
        }, { at, ignored: ["summary", "generate_summary", "context"] }), // how thoughts are told, not what is answered
        text: (value, at) => readFields(objectAt(at, value), {
            format: (format, place) => (call.format = readFormat(format, place)),
        }, { at, only: { verbosity: ["medium"] } }),
        tools: (value, at) => readTools(call, value, at, fields.tool_choice ?? "auto"),
        tool_choice: (value, at) => (call.toolChoice = readToolChoice(value, at)),
    }, { only: ONLY, ignored: IGNORED });
    if (!call.turns.length) refuseValue("input", "a text or a list with a message of the user");
    call.echo = Object.fromEntries(ECHOED.filter((name) => name in fields).map((name) => [name, fields[name]]));
    return call;
}

function readInput(call, value, at) {
    if (typeof value === "string") addPart(call.turns, "user", { type: "text", text: value, at });
    else listAt(at, value).forEach((item, index) => readItem(call, item, `${at}[${index}]`));
}

function readItem(call, value, at) {
    const item = objectAt(at, value);
    const read = ITEMS[item.type ?? "message"];
    if (!read) refuseField(`${at}.type`, "messages, calls of functions and their outputs are the only items here");
    read(call, item, at);
}

const ITEMS = {
    message: readMessage,
    function_call: (call, { call_id: id, name, namespace, arguments: text }, at) => {
        const input = argumentsAt(`${at}.arguments`, text ?? "");
        const known = flatName(namespace, stringAt(`${at}.name`, name));
        const called = { id: stringAt(`${at}.call_id`, id), name: known, input };
        addPart(call.turns, "assistant", { type: "tool", ...called, at });
    },
    function_call_output: (call, { call_id: id, output }, at) => {
        const parts = readContent(output, `${at}.output`);
        addPart(call.turns, "user", { type: "result", id: stringAt(`${at}.call_id`, id), isError: false, parts, at });
    },
    reasoning: () => {}, // thoughts of earlier answers, which their model does not need
};

function readMessage(call, { role, content }, at) {
    const parts = readContent(content, `${at}.content`);
    if (role === "system" || role === "developer") {
        for (const part of parts) {
            if (part.type !== "text") refuseField(part.at, "these messages have text alone");
            call.system.push(part);
        }
        return;
    }
    if (role !== "user" && role !== "assistant") refuseValue(`${at}.role`, "user, assistant, system or developer");
    for (const part of parts) addPart(call.turns, role, part);
}

function readContent(content, at) {
    if (typeof content === "string") return [{ type: "text", text: content, at }];
    return listAt(at, content).map((each, index) => readPart(each, `${at}[${index}]`));
}

function readPart(value, at) {
    const part = objectAt(at, value);
    switch (part.type) {
        case "input_text":
        case "output_text":
        case "text":
            return { type: "text", text: stringAt(`${at}.text`, part.text), at };
        case "refusal":
            return { type: "text", text: stringAt(`${at}.refusal`, part.refusal), at };
        case "input_image":
            if (part.file_id !== undefined) refuseField(`${at}.file_id`, "send the image itself, as image_url");
            return mediaOf("image", part.image_url, `${at}.image_url`);
        case "input_file": {
            if (part.file_id !== undefined) refuseField(`${at}.file_id`, "send the file itself, as file_data");
            if (part.file_url !== undefined) return mediaOf("document", part.file_url, `${at}.file_url`, part.filename);
            return mediaOf("document", part.file_data, `${at}.file_data`, part.filename);
        }
        default:
            return refuseField(`${at}.type`, "text, images and files are the only parts here");
    }
}

// Agents keep functions in namespaces, and offer a search of the web with every call: where the model may call whatever
// it wants, it then has one tool less.
function readTools(call, value, at, choice) {
    listAt(at, value).forEach((tool, index) => {
        const place = `${at}[${index}]`;
        const { type, name: namespace, tools } = objectAt(place, tool);
        if (choice === "auto" && SEARCH.test(type)) return;
        if (type === "namespace") readNamespace(call, namespace, tools, place);
        else call.tools.push(readTool(tool, place));
    });
}

function readNamespace(call, namespace, tools, at) {
    stringAt(`${at}.name`, namespace);
    listAt(`${at}.tools`, tools).forEach((value, index) => {
        const tool = readTool(value, `${at}.tools[${index}]`);
        const name = flatName(namespace, tool.name);
        call.namespaces.set(name, { namespace, name: tool.name });
        call.tools.push({ ...tool, name });
    });
}

function flatName(namespace, name) {
    return namespace === undefined || namespace === null ? name : `${namespace}__${name}`;
}

function readTool(value, at) {
    const { type, name, description, parameters, strict } = objectAt(at, value);
    if (type !== "function") refuseField(`${at}.type`, "functions are the only tools here");
    const schema = parameters ?? { type: "object", properties: {} };
    return { name: stringAt(`${at}.name`, name), description, schema, strict: strict || undefined };
}

function readToolChoice(value, at) {
    const simple = { auto: "auto", none: "none", required: "any" }[value];
    if (simple) return { type: simple };
    const { type, name } = objectAt(at, value);
    if (type !== "function") refuseField(`${at}.type`, "a function, auto, none or required are the only choices");
    return { type: "tool", name: stringAt(`${at}.name`, name) };
}

function readFormat(value, at) {
    const { type, name, description, schema } = objectAt(at, value);
    if (type === "text") return undefined;
    if (type === "json_object") return { type };
    if (type !== "json_schema") refuseField(`${at}.type`);
    return { type, name, description, schema: objectAt(`${at}.schema`, schema) };
}
