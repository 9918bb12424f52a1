// Speaks to servers of Anthropic's Messages.
//
// Sources: https://platform.claude.com/docs/en/api/messages/create,
// https://platform.claude.com/docs/en/build-with-claude/streaming,
// https://platform.claude.com/docs/en/build-with-claude/structured-outputs

import { translateEffort, withoutUndefined } from "./call.mjs";
import { statusOf } from "./errors.mjs";
import { withAnswerTool } from "./structured_output.mjs";
import { refuseField } from "./untranslatable.mjs";

const REASONS = {
    max_tokens: "length",
    model_context_window_exceeded: "length",
    pause_turn: "pause",
    refusal: "refusal",
    stop_sequence: "sequence",
    tool_use: "tool",
};

// Builds the body that the server gets. Throws Untranslatable.
export function buildMessagesBody(asked, { maxTokens }) {
    const call = asked.format?.type === "json_object" ? withAnswerTool(asked) : asked;
    const { format, tools, topK } = call;
    const { effort, isThoughtless } = translateEffort(call.effort);
    const config = withoutUndefined({
        effort,
        format: format && { type: "json_schema", schema: format.schema },
    });
    return withoutUndefined({
        model: call.model,
        max_tokens: call.maxTokens ?? maxTokens,
        system: call.system.length ? call.system.map(({ text }) => ({ type: "text", text })) : undefined,
        messages: call.turns.map(({ role, parts }) => ({ role, content: buildContent(parts) })),
        temperature: call.temperature,
        top_p: call.topP,
        top_k: topK,
        stop_sequences: call.stops?.length ? call.stops : undefined,
        thinking: isThoughtless ? { type: "disabled" } : undefined,
        output_config: Object.keys(config).length ? config : undefined,
        tools: tools.length ? tools.map(buildTool) : undefined,
        tool_choice: tools.length ? buildToolChoice(call) : undefined,
        stream: call.stream || undefined,
    });
}

// Empty texts, which other APIs take, would be refused; a turn of nothing else keeps one, and its error.
function buildContent(parts) {
    const blocks = parts.map(buildBlock);
    const filled = blocks.filter(({ type, text }) => type !== "text" || text !== "");
    const kept = filled.length ? filled : blocks.slice(0, 1);
    // Results of tools must come first.
    return kept.toSorted((one, other) => (other.type === "tool_result") - (one.type === "tool_result"));
}

function buildBlock(part) {
    switch (part.type) {
        case "text":
            return { type: "text", text: part.text };
        case "image":
            return { type: "image", source: buildSource(part) };
        case "document":
            return withoutUndefined({ type: "document", source: buildSource(part), title: part.name });
        case "tool":
            return { type: "tool_use", id: part.id, name: part.name, input: part.input };
        default:
            return buildResult(part);
    }
}

function buildResult({ id, parts }) {
    const content = parts.map(buildBlock).filter(({ type, text }) => type !== "text" || text !== "");
    return { type: "tool_result", tool_use_id: id, ...(content.length && { content }) };
}

function buildSource({ type, mediaType, data, url, at }) {
    if (url !== undefined) return { type: "url", url };
    if (type === "document" && mediaType === "text/plain") {
        return { type: "text", media_type: mediaType, data: Buffer.from(data, "base64").toString("utf8") };
    }
    if (type === "document" && mediaType !== "application/pdf") {
        refuseField(at, "this model's server reads PDF and text alone");
    }
    return { type: "base64", media_type: mediaType, data };
}

function buildTool({ name, description, schema, strict }) {
    return withoutUndefined({ name, description, input_schema: { type: "object", ...schema }, strict });
}

function buildToolChoice({ toolChoice, parallelTools }) {
    if (!toolChoice && parallelTools !== false) return undefined;
    const choice = toolChoice ?? { type: "auto" };
    return parallelTools === false && choice.type !== "none" ? { ...choice, disable_parallel_tool_use: true } : choice;
}

// Reads a whole answer.
export function readMessagesAnswer({ model, content, stop_reason: stop, stop_sequence: sequence, usage }) {
    return { model, parts: content.flatMap(readBlock), ...readReason(stop, sequence), usage: readUsage(usage) };
}

function readBlock({ type, text, thinking, signature, data, id, name, input }) {
    if (type === "text") return [{ type, text }];
    if (type === "thinking") return [{ type, text: thinking, signature: signature ?? "" }];
    if (type === "redacted_thinking") return [{ type: "redacted", data }];
    if (type === "tool_use") return [{ type: "tool", id, name, input, arguments: JSON.stringify(input) }];
    return [];
}

function readReason(stop, sequence) {
    return withoutUndefined({ reason: REASONS[stop] ?? "end", sequence: sequence ?? undefined });
}

function readUsage(counted) {
    const usage = counted ?? {};
    return withoutUndefined({
        input: usage.input_tokens ?? undefined,
        cacheRead: usage.cache_read_input_tokens ?? undefined,
        cacheWrite: usage.cache_creation_input_tokens ?? undefined,
        output: usage.output_tokens ?? undefined,
        reasoning: usage.output_tokens_details?.thinking_tokens ?? undefined,
    });
}

// Returns a function from each event of a stream to those of call.mjs.
export function readMessagesStream() {
    return ({ comment, data }) => {
        if (comment) return [{ type: "ping" }];
        const event = JSON.parse(data);
        return EVENTS[event.type]?.(event) ?? [];
    };
}

const EVENTS = {
    message_start: ({ message }) => [{ type: "start", model: message.model, usage: readUsage(message.usage) }],
    ping: () => [{ type: "ping" }],
    content_block_start: ({ index, content_block: block }) => readStart(index, block),
    content_block_delta: ({ index, delta }) => readDelta(index, delta),
    content_block_stop: ({ index }) => [{ type: "complete", key: index }],
    message_delta: ({ delta, usage }) => [
        ...(delta.stop_reason ? [{ type: "stop", ...readReason(delta.stop_reason, delta.stop_sequence) }] : []),
        { type: "usage", usage: readUsage(usage) },
    ],
    message_stop: () => [{ type: "end" }],
    error: ({ error }) => [{ type: "error", error: { status: statusOf(error.type), message: error.message } }],
};

function readStart(key, { type, id, name, text, thinking, data }) {
    if (type === "tool_use") return [{ type: "tool", key, id, name }];
    if (type === "redacted_thinking") return [{ type: "redacted", data }];
    if (type === "thinking") return [{ type: "thinking", text: thinking ?? "" }];
    return text ? [{ type: "text", text }] : [];
}

function readDelta(key, { type, text, thinking, signature, partial_json: json }) {
    if (type === "text_delta") return [{ type: "text", text }];
    if (type === "thinking_delta") return [{ type: "thinking", text: thinking }];
    if (type === "signature_delta") return [{ type: "signature", signature }];
    if (type === "input_json_delta") return [{ type: "arguments", key, text: json }];
    return [];
}
