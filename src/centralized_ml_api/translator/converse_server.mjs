// Speaks to Amazon Bedrock's Converse and ConverseStream.
//
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html

import { toolsCalled, translateEffort, withoutUndefined } from "./call.mjs";
import { statusOf } from "./errors.mjs";
import { withAnswerTool } from "./structured_output.mjs";
import { refuseField } from "./untranslatable.mjs";

const IMAGES = {
    "image/gif": "gif",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/png": "png",
    "image/webp": "webp",
};
const DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "md",
    "text/plain": "txt",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
};
const REASONS = {
    max_tokens: "length",
    model_context_window_exceeded: "length",
    content_filtered: "refusal",
    guardrail_intervened: "refusal",
    stop_sequence: "sequence",
    tool_use: "tool",
};
const MALFORMED = {
    malformed_model_output: "The model's output is malformed.",
    malformed_tool_use: "The model called a tool in a malformed way.",
};
const IS_CLAUDE = /anthropic|claude/i;
// ARNs of models that do not say which.
const IS_OPAQUE = /^arn:.*:(?:application-inference-profile|provisioned-model|(?:default-)?prompt-router|custom-model-deployment)\//;
const LONGEST_NAME = 200; // of a document

// Builds the body that Bedrock gets. Throws Untranslatable.
export function buildConverseBody(asked, { model }) {
    const call = asked.format && asked.formatByTool ? withAnswerTool(asked) : asked;
    const { effort, isThoughtless } = translateEffort(call.effort);
    const id = model || call.model;
    const thinking = isThoughtless ? { type: "disabled" } : call.thinking;
    if (IS_OPAQUE.test(id) && !IS_CLAUDE.test(id) && thinking?.type === "enabled") {
        refuseField(call.names.thinking, "the ARN of this model does not tell whether it is Claude");
    }
    const inference = withoutUndefined({
        maxTokens: call.maxTokens,
        temperature: call.temperature,
        topP: call.topP,
        stopSequences: call.stops?.length ? call.stops : undefined,
    });
    return withoutUndefined({
        system: call.system.length ? call.system.flatMap(buildSystem) : undefined,
        messages: call.turns.map(({ role, parts }) => ({ role, content: buildContent(parts) })),
        inferenceConfig: Object.keys(inference).length ? inference : undefined,
        toolConfig: buildTools(call),
        outputConfig: buildOutput(call.format, effort),
        additionalModelRequestFields: buildModelFields({ ...call, thinking }, IS_CLAUDE.test(id)),
    });
}

// Returns the path that takes a call of a model, by its id or ARN.
export function buildConversePath(model, streams) {
    return `/model/${encodeURIComponent(model)}/${streams ? "converse-stream" : "converse"}`;
}

function buildOutput(format, effort) {
    if (!format && effort === undefined) return undefined;
    const schema = format && { name: "answer", schema: JSON.stringify(format.schema) };
    return withoutUndefined({
        textFormat: format && { type: "json_schema", structure: { jsonSchema: schema } },
        effort,
    });
}

// What Converse itself has no words for goes to the model as it is; Claude's are known.
function buildModelFields({ names, topK, thinking, tools, toolChoice, parallelTools }, isClaude) {
    const isSerial = parallelTools === false && tools.length > 0;
    if (!isClaude && topK !== undefined) refuseField(names.topK);
    if (!isClaude && isSerial) refuseField(names.parallelTools);
    if (!isClaude) return undefined;
    const choice = { ...(toolChoice ?? { type: "auto" }), disable_parallel_tool_use: true };
    const fields = withoutUndefined({
        top_k: topK,
        thinking: thinking && withoutUndefined({
            type: thinking.type, budget_tokens: thinking.budget, display: thinking.display,
        }),
        tool_choice: isSerial && toolChoice?.type !== "none" ? choice : undefined,
    });
    return Object.keys(fields).length ? fields : undefined;
}

function buildSystem({ text, cache }) {
    return text ? [{ text }, ...buildCachePoint(cache)] : [];
}

function buildCachePoint(ttl) {
    if (!ttl) return [];
    return [{ cachePoint: ttl === "1h" ? { type: "default", ttl } : { type: "default" } }];
}

// Converse takes no blank texts; a turn of nothing else keeps one, and its error.
function buildContent(parts) {
    const filled = parts.filter(({ type, text }) => type !== "text" || text.trim());
    const kept = filled.length ? filled : parts.slice(0, 1);
    const documents = new Set();
    return kept.flatMap((part) => [buildBlock(part, documents), ...buildCachePoint(part.cache)]);
}

// `documents` are the names of those before, within a message.
function buildBlock(part, documents) {
    switch (part.type) {
        case "text":
            return { text: part.text };
        case "image":
            return { image: { format: formatOf(part, IMAGES), source: buildSource(part) } };
        case "document":
            return { document: buildDocument(part, documents) };
        case "tool":
            return { toolUse: { toolUseId: part.id, name: part.name, input: part.input } };
        case "result":
            return { toolResult: buildResult(part, documents) };
        case "thinking":
            return { reasoningContent: { reasoningText: { text: part.text, signature: part.signature } } };
        default:
            return { reasoningContent: { redactedContent: part.data } };
    }
}

function buildResult({ id, isError, parts }, documents) {
    const content = parts.map((part) => buildBlock(part, documents));
    const result = { toolUseId: id, content: content.length ? content : [{ text: "(nothing)" }] };
    return isError ? { ...result, status: "error" } : result;
}

function formatOf({ mediaType, url, at }, formats) {
    if (url !== undefined) refuseField(at, "Bedrock fetches nothing; send the data itself, in base64");
    return formats[mediaType] ?? refuseField(at, `Bedrock takes ${Object.keys(formats).join(", ")}`);
}

function buildSource({ data, text }) {
    return { bytes: data ?? Buffer.from(text, "utf8").toString("base64") };
}

// Names may have letters, digits, single spaces, hyphens, parentheses and brackets, and differ within a message,
// the results of tools included.
function buildDocument(part, documents) {
    const format = part.text === undefined ? formatOf(part, DOCUMENTS) : "txt";
    const stem = (part.name ?? "").replace(/\.[^.]*$/, "").replace(/[^a-zA-Z0-9\-()[\]]+/g, " ").trim();
    let number = documents.size + 1;
    let name = nameDocument(stem, number > 1 ? ` ${number}` : "");
    while (documents.has(name)) name = nameDocument(stem, ` ${(number += 1)}`);
    documents.add(name);
    return { format, name, source: buildSource(part) };
}

function nameDocument(stem, ending) {
    return (stem || "document").slice(0, LONGEST_NAME - ending.length).trim() + ending;
}

// A conversation in which tools were called must list tools, even when no more of them may be called.
function buildTools({ tools, turns, toolChoice, names }) {
    const called = toolsCalled(turns);
    const isForbidden = toolChoice?.type === "none";
    if (isForbidden && called.length) {
        refuseField(names.toolChoice, "Bedrock cannot forbid tools in a conversation that has called some");
    }
    if (isForbidden || (!tools.length && !called.length)) return undefined;
    const listed = tools.length ? tools : called.map((name) => ({ name, schema: { type: "object" } }));
    const choice = tools.length ? toolChoice : undefined;
    return withoutUndefined({
        tools: listed.flatMap(buildTool),
        toolChoice: choice && { [choice.type]: choice.type === "tool" ? { name: choice.name } : {} },
    });
}

function buildTool({ name, description, schema, strict, cache }) {
    const inputSchema = { json: { type: "object", ...schema } };
    const spec = withoutUndefined({ name, description: description || undefined, inputSchema, strict });
    return [{ toolSpec: spec }, ...buildCachePoint(cache)];
}

// Reads a whole answer.
export function readConverseAnswer({ output, stopReason, usage }) {
    if (MALFORMED[stopReason]) throw new Error(MALFORMED[stopReason]);
    const parts = output.message.content.flatMap(readBlock);
    return { parts, reason: REASONS[stopReason] ?? "end", usage: readUsage(usage) };
}

function readBlock({ text, toolUse, reasoningContent, citationsContent }) {
    if (text !== undefined) return [{ type: "text", text }];
    if (citationsContent) {
        return [{ type: "text", text: (citationsContent.content ?? []).map((each) => each.text ?? "").join("") }];
    }
    if (toolUse) {
        const { toolUseId: id, name, input } = toolUse;
        return [{ type: "tool", id, name, input, arguments: JSON.stringify(input) }];
    }
    if (!reasoningContent) return [];
    const { reasoningText: thoughts, redactedContent: data } = reasoningContent;
    if (thoughts) return [{ type: "thinking", text: thoughts.text, signature: thoughts.signature ?? "" }];
    return [{ type: "redacted", data: base64Of(data) }];
}

function readUsage(counted) {
    const usage = counted ?? {};
    return {
        input: usage.inputTokens ?? 0,
        cacheRead: usage.cacheReadInputTokens ?? 0,
        cacheWrite: usage.cacheWriteInputTokens ?? 0,
        output: usage.outputTokens ?? 0,
    };
}

// Returns a function from each event of a stream to those of call.mjs. The last event of an answer is its metadata.
export function readConverseStream() {
    return (event) => {
        const [[name, payload] = []] = Object.entries(event);
        if (name?.toLowerCase().endsWith("exception")) {
            const status = statusOf(payload.originalStatusCode, name);
            return [{ type: "error", error: { status, message: payload.message ?? "Bedrock ended the stream." } }];
        }
        return EVENTS[name]?.(payload) ?? [];
    };
}

const EVENTS = {
    messageStart: () => [{ type: "start" }],
    contentBlockStart: ({ start, contentBlockIndex: key }) =>
        start?.toolUse ? [{ type: "tool", key, id: start.toolUse.toolUseId, name: start.toolUse.name }] : [],
    contentBlockDelta: ({ delta, contentBlockIndex: key }) => readDelta(delta, key),
    contentBlockStop: ({ contentBlockIndex: key }) => [{ type: "complete", key }],
    messageStop: ({ stopReason }) => {
        const message = MALFORMED[stopReason];
        if (message) return [{ type: "error", error: { status: 502, message } }];
        return [{ type: "stop", reason: REASONS[stopReason] ?? "end" }];
    },
    metadata: ({ usage }) => [{ type: "usage", usage: readUsage(usage) }, { type: "end" }],
};

function readDelta({ text, toolUse, reasoningContent }, key) {
    if (text !== undefined) return [{ type: "text", text }];
    if (toolUse) return [{ type: "arguments", key, text: toolUse.input }];
    const { text: thoughts, signature, redactedContent: data } = reasoningContent ?? {};
    if (thoughts !== undefined) return [{ type: "thinking", text: thoughts }];
    if (signature) return [{ type: "signature", signature }];
    return data ? [{ type: "redacted", data: base64Of(data) }] : [];
}

// AWS's SDK decodes blobs to bytes.
function base64Of(blob) {
    return typeof blob === "string" ? blob : Buffer.from(blob).toString("base64");
}
