// Reads the body of a client of Anthropic's Messages.
//
// Source: https://platform.claude.com/docs/en/api/messages/create

import { addPart, newCall } from "./call.mjs";
import { booleanAt, listAt, numberAt, objectAt, readFields, stringAt } from "./content.mjs";
import { refuseField, refuseValue } from "./untranslatable.mjs";

// Fields with which no answer is another one.
const IGNORED = ["diagnostics", "metadata", "service_tier"];

const ONLY = {
    cache_control: [{ type: "ephemeral" }, { type: "ephemeral", ttl: "5m" }, { type: "ephemeral", ttl: "1h" }],
    mcp_servers: [[]],
    speed: ["standard"],
};

const NAMES = {
    maxTokens: "max_tokens",
    parallelTools: "tool_choice.disable_parallel_tool_use",
    effort: "output_config.effort",
    stops: "stop_sequences",
    format: "output_config.format",
    topK: "top_k",
    topP: "top_p",
    toolChoice: "tool_choice",
    thinking: "thinking",
};

// Reads a body. Throws Untranslatable.
export function readMessagesCall(body) {
    const call = newCall(NAMES, { formatByTool: false });
    const setNumber = (key) => (value, at) => (call[key] = numberAt(at, value));
    const setFormat = (value, at) => (call.format = readFormat(value, at));
    readFields(objectAt("body", body), {
        model: (value, at) => (call.model = stringAt(at, value)),
        system: (value, at) => (call.system = readBlocks(value, at, readText)),
        messages: (value, at) => listAt(at, value).forEach((each, index) => readMessage(call, each, `${at}[${index}]`)),
        stream: (value, at) => (call.stream = booleanAt(at, value)),
        max_tokens: setNumber("maxTokens"),
        temperature: setNumber("temperature"),
        top_p: setNumber("topP"),
        top_k: setNumber("topK"),
        stop_sequences: (value, at) => (call.stops = listAt(at, value).map((stop) => stringAt(at, stop))),
        thinking: (value, at) => (call.thinking = readThinking(value, at)),
        output_config: (value, at) => readFields(objectAt(at, value), {
            effort: (effort, place) => (call.effort = readEffort(stringAt(place, effort))),
            format: setFormat,
        }, { at }),
        output_format: setFormat,
        tools: (value, at) => (call.tools = listAt(at, value).map((tool, index) => readTool(tool, `${at}[${index}]`))),
        tool_choice: (value, at) => readToolChoice(call, value, at),
        context_management: checkContextEdits,
    }, { only: ONLY, ignored: IGNORED });
    if (!call.turns.length) refuseValue("messages", "a list with at least one message");
    return call;
}

// Thoughts of earlier answers do not reach these servers, or are theirs to remove. Agents ask for that in each call.
function checkContextEdits(value, at) {
    const { edits } = objectAt(at, value);
    listAt(`${at}.edits`, edits ?? []).forEach(({ type }, index) => {
        if (!type.startsWith("clear_thinking_")) refuseField(`${at}.edits[${index}].type`);
    });
}

function readMessage(call, value, at) {
    const { role, content, ...rest } = objectAt(at, value);
    readFields(rest, {}, { at });
    if (role === "system") {
        call.system.push(...readBlocks(content, `${at}.content`, readText));
        return;
    }
    if (role !== "user" && role !== "assistant") refuseValue(`${at}.role`, "user or assistant");
    for (const part of readBlocks(content, `${at}.content`, readBlock)) addPart(call.turns, role, part);
}

function readBlocks(content, at, read) {
    if (typeof content === "string") return [{ type: "text", text: content, at }];
    return listAt(at, content).map((value, index) => {
        const place = `${at}[${index}]`;
        const block = objectAt(place, value);
        const cache = cacheOf(block.cache_control);
        return { ...read(block, place), at: place, ...(cache && { cache }) };
    });
}

function cacheOf(control) {
    return control && (control.ttl === "1h" ? "1h" : "5m");
}

function readText({ type, text }, at) {
    if (type !== "text") refuseField(`${at}.type`, "only text is taken here");
    return { type, text: stringAt(`${at}.text`, text) };
}

function readBlock(block, at) {
    const read = BLOCKS[block.type];
    if (!read) refuseField(`${at}.type`);
    return read(block, at);
}

const BLOCKS = {
    text: readText,
    image: ({ source }, at) => readSource("image", source, `${at}.source`),
    document: ({ source, title, context, citations }, at) => {
        if (citations?.enabled) refuseField(`${at}.citations`);
        if (context !== undefined) refuseField(`${at}.context`);
        return { ...readSource("document", source, `${at}.source`), ...(title && { name: title }) };
    },
    thinking: ({ type, thinking, signature }) => ({ type, text: thinking ?? "", signature: signature ?? "" }),
    redacted_thinking: ({ data }) => ({ type: "redacted", data: data ?? "" }),
    tool_use: ({ id, name, input }, at) => {
        const tool = { type: "tool", id: stringAt(`${at}.id`, id), name: stringAt(`${at}.name`, name) };
        return { ...tool, input: objectAt(`${at}.input`, input ?? {}) };
    },
    tool_result: ({ tool_use_id: id, content, is_error: isError }, at) => {
        const parts = content === undefined ? [] : readBlocks(content, `${at}.content`, readResultBlock);
        return { type: "result", id: stringAt(`${at}.tool_use_id`, id), isError: isError === true, parts };
    },
};

function readResultBlock(block, at) {
    if (!["text", "image", "document"].includes(block.type)) refuseField(`${at}.type`);
    return BLOCKS[block.type](block, at);
}

function readSource(type, value, at) {
    const source = objectAt(at, value);
    if (source.type === "base64") {
        const mediaType = stringAt(`${at}.media_type`, source.media_type);
        return { type, mediaType, data: stringAt(`${at}.data`, source.data) };
    }
    if (source.type === "url") return { type, url: stringAt(`${at}.url`, source.url) };
    if (source.type === "text" && type === "document") return { type, text: stringAt(`${at}.data`, source.data) };
    return refuseField(`${at}.type`);
}

function readTool(value, at) {
    const tool = objectAt(at, value);
    if (tool.type !== undefined && tool.type !== "custom")
        refuseField(`${at}.type`, "this model's server runs no tools itself");
    if (tool.allowed_callers && !tool.allowed_callers.includes("direct")) refuseField(`${at}.allowed_callers`);
    const schema = objectAt(`${at}.input_schema`, tool.input_schema);
    const { description, strict, cache_control: control } = tool;
    const name = stringAt(`${at}.name`, tool.name);
    return { name, description, schema, strict: strict || undefined, cache: cacheOf(control) };
}

function readToolChoice(call, value, at) {
    const { type, name, disable_parallel_tool_use: isSerial } = objectAt(at, value);
    if (!["auto", "any", "none", "tool"].includes(type)) refuseValue(`${at}.type`, "auto, any, none or tool");
    call.toolChoice = type === "tool" ? { type, name: stringAt(`${at}.name`, name) } : { type };
    if (isSerial === true) call.parallelTools = false;
}

function readThinking(value, at) {
    const { type, budget_tokens: budget, display } = objectAt(at, value);
    if (!["enabled", "adaptive", "disabled", "between_tools"].includes(type)) refuseField(`${at}.type`);
    return { type, budget, display, shown: type !== "disabled" && display !== "omitted" };
}

// `high` says the same as nothing; agents say it to every model, also to those of servers that know no effort.
// Source: https://platform.claude.com/docs/en/build-with-claude/effort
function readEffort(effort) {
    return effort === "high" ? undefined : effort;
}

function readFormat(value, at) {
    const { type, schema } = objectAt(at, value);
    if (type !== "json_schema") refuseField(`${at}.type`);
    return { type, schema: objectAt(`${at}.schema`, schema) };
}
