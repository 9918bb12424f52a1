// Speaks to servers of OpenAI's Chat Completions.
//
// Sources: https://platform.openai.com/docs/api-reference/chat and, for thoughts in answers,
// https://docs.vllm.ai/en/latest/features/reasoning_outputs.html

import { parseArguments, withoutUndefined } from "./call.mjs";
import { dataUrl, isObject } from "./content.mjs";
import { statusOf } from "./errors.mjs";
import { refuseField } from "./untranslatable.mjs";

const CHOICES = { auto: "auto", any: "required", none: "none" };
const REASONS = { length: "length", tool_calls: "tool", function_call: "tool", content_filter: "refusal" };
const EFFORTS = { max: "xhigh" };
const DONE = "[DONE]";

// Builds the body that the server gets. Throws Untranslatable.
//
// A budget of thoughts, or the wish for some, is a limit: such a server thinks as its model does.
export function buildChatBody(call, { limitKey, takesStreamOptions }) {
    const { names, turns, tools, toolChoice } = call;
    if (call.topK !== undefined) refuseField(names.topK);
    if (turns.at(-1).role === "assistant")
        refuseField("messages", "it ends with the beginning of an answer, which this model's server does not continue");
    return withoutUndefined({
        model: call.model,
        messages: [...buildSystem(call.system), ...turns.flatMap(buildMessages)],
        [limitKey]: call.maxTokens,
        temperature: call.temperature,
        top_p: call.topP,
        stop: call.stops?.length ? call.stops : undefined,
        reasoning_effort: EFFORTS[call.effort] ?? call.effort,
        response_format: buildFormat(call.format),
        tools: tools.length ? tools.map(buildTool) : undefined,
        tool_choice: tools.length && toolChoice ? buildToolChoice(toolChoice) : undefined,
        parallel_tool_calls: tools.length && call.parallelTools === false ? false : undefined,
        stream: call.stream || undefined,
        stream_options: call.stream && takesStreamOptions ? { include_usage: true } : undefined,
    });
}

function buildSystem(system) {
    const content = system.map(({ text }) => text).join("\n\n");
    return content ? [{ role: "system", content }] : [];
}

function buildMessages({ role, parts }) {
    return role === "assistant" ? [buildAssistant(parts)] : buildUser(parts);
}

// Thoughts stay with who thought them: such servers take none.
function buildAssistant(parts) {
    const text = parts.filter(({ type }) => type === "text").map((part) => part.text).join("");
    const calls = parts.filter(({ type }) => type === "tool").map(({ id, name, input }) => ({
        id, type: "function", function: { name, arguments: JSON.stringify(input) },
    }));
    const other = parts.find(({ type }) => type === "image" || type === "document");
    if (other) refuseField(other.at, "answers of this model's server have text and tools alone");
    const content = text || (calls.length ? null : "");
    return { role: "assistant", content, ...(calls.length && { tool_calls: calls }) };
}

// Results of tools come first, each a message of its own. They are texts: images in them follow as the user's.
function buildUser(parts) {
    const results = parts.filter(({ type }) => type === "result");
    const media = results.flatMap((result) => result.parts.filter(({ text }) => text === undefined));
    const content = [...media, ...parts.filter(({ type }) => type !== "result")];
    const messages = results.map(buildResult);
    if (!content.length) return messages;
    const isPlain = content.length === 1 && content[0].type === "text";
    return [...messages, { role: "user", content: isPlain ? content[0].text : content.map(buildPart) }];
}

function buildResult({ id, isError, parts }) {
    const texts = parts.filter(({ text }) => text !== undefined).map(({ text }) => text);
    if (texts.length < parts.length) texts.push("(What else the tool returned is in the next message.)");
    return { role: "tool", tool_call_id: id, content: (isError ? "Error: " : "") + texts.join("\n") };
}

function buildPart(part) {
    if (part.text !== undefined) return { type: "text", text: part.text };
    if (part.type === "image") return { type: "image_url", image_url: { url: part.url ?? dataUrl(part) } };
    if (part.url !== undefined) refuseField(part.at, "this model's server fetches no documents");
    return { type: "file", file: { filename: part.name ?? "document.pdf", file_data: dataUrl(part) } };
}

function buildTool({ name, description, schema, strict }) {
    return { type: "function", function: withoutUndefined({ name, description, parameters: schema, strict }) };
}

function buildToolChoice({ type, name }) {
    return CHOICES[type] ?? { type: "function", function: { name } };
}

function buildFormat(format) {
    if (!format || format.type === "json_object") return format && { type: "json_object" };
    const { name = "answer", description, schema } = format;
    const described = withoutUndefined({ name, description, schema, strict: true });
    return { type: "json_schema", json_schema: described };
}

// Reads a whole answer.
export function readChatAnswer({ model, choices, usage }) {
    const [{ message, finish_reason: finish, stop_reason: stop }] = choices;
    const thoughts = message.reasoning_content ?? message.reasoning;
    const parts = [];
    if (typeof thoughts === "string" && thoughts) parts.push({ type: "thinking", text: thoughts, signature: "" });
    if (message.content) parts.push({ type: "text", text: textOf(message.content) });
    if (message.refusal) parts.push({ type: "refusal", text: message.refusal });
    for (const { id, function: called } of message.tool_calls ?? []) {
        const text = called.arguments ?? "";
        parts.push({ type: "tool", id, name: called.name, arguments: text || "{}", input: parseArguments(text) });
    }
    const callsTools = parts.some(({ type }) => type === "tool");
    return { model, parts, ...readReason(finish, stop, callsTools), usage: readUsage(usage) };
}

function textOf(content) {
    return typeof content === "string" ? content : content.map(({ text }) => text ?? "").join("");
}

// Some servers say `stop` where they call tools. vLLM says which sequence it stopped at.
function readReason(finish, stop, callsTools) {
    if (callsTools && (finish === "stop" || !finish)) return { reason: "tool" };
    if (finish === "stop" && typeof stop === "string") return { reason: "sequence", sequence: stop };
    return { reason: REASONS[finish] ?? "end" };
}

function readUsage(usage) {
    const cacheRead = usage?.prompt_tokens_details?.cached_tokens ?? 0;
    const cacheWrite = usage?.prompt_tokens_details?.cache_write_tokens ?? 0;
    const prompt = usage?.prompt_tokens ?? 0;
    const reasoning = usage?.completion_tokens_details?.reasoning_tokens;
    return withoutUndefined({
        input: Math.max(0, prompt - cacheRead - cacheWrite),
        cacheRead,
        cacheWrite,
        // Some servers count thoughts in the total alone.
        output: Math.max(usage?.completion_tokens ?? 0, (usage?.total_tokens ?? 0) - prompt),
        reasoning,
    });
}

// Returns a function from each event of a stream to those of call.mjs.
export function readChatStream() {
    const state = { tools: new Map(), lastTool: null };
    return ({ comment, data }) => {
        if (comment) return [{ type: "ping" }];
        if (data.trim() === DONE) return [{ type: "end" }];
        return readChunk(JSON.parse(data) ?? {}, state); // some servers keep a connection alive with null
    };
}

function readChunk({ error, model, choices, usage }, state) {
    if (error) return [readStreamError(error)];
    const events = [{ type: "start", model }];
    const [choice] = choices ?? [];
    if (choice) events.push(...readDelta(choice.delta ?? {}, state));
    if (choice?.finish_reason) {
        events.push({ type: "stop", ...readReason(choice.finish_reason, choice.stop_reason, state.tools.size > 0) });
    }
    if (isObject(usage)) events.push({ type: "usage", usage: readUsage(usage) });
    return events;
}

function readDelta({ reasoning_content: content, reasoning, content: text, refusal, tool_calls: calls }, state) {
    const thoughts = content ?? reasoning;
    const events = [];
    if (typeof thoughts === "string" && thoughts) events.push({ type: "thinking", text: thoughts });
    if (text) events.push({ type: "text", text: textOf(text) });
    if (refusal) events.push({ type: "refusal", text: refusal });
    for (const call of calls ?? []) events.push(...readToolDelta(call, state));
    return events;
}

// A tool is known by its index. Servers that number none send each at once, with its name.
function readToolDelta({ index, id, function: described }, state) {
    const called = described ?? {};
    const key = index ?? (called.name ? `unnumbered ${state.tools.size}` : state.lastTool);
    state.lastTool = key;
    const events = [];
    if (!state.tools.has(key)) {
        state.tools.set(key, id);
        events.push({ type: "tool", key, id, name: called.name ?? "" });
    }
    if (called.arguments) events.push({ type: "arguments", key, text: called.arguments });
    return events;
}

function readStreamError(error) {
    const message = typeof error === "string" ? error : error.message;
    return { type: "error", error: { status: statusOf(error.code, error.type), message } };
}
