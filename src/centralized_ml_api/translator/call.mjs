// What the clients' readers and the servers' writers exchange.
//
// A call:
//     stream        whether the answer is to be streamed
//     includeUsage  whether a client of OpenAI's chats wants the tokens of a stream
//     model         as the client wrote it
//     system        [{text, cache?}]
//     turns         [{role: "user" | "assistant", parts: [part]}], no two in a row with the same role
//     tools         [{name, description?, schema, strict?, cache?}]
//     toolChoice    {type: "auto" | "any" | "none" | "tool", name?}, if said
//     parallelTools false, if the model may call one tool at a time only
//     maxTokens, temperature, topP, topK, stops, effort
//     thinking      {type: "enabled" | "adaptive" | "disabled", budget?, shown}, if said
//     format        {type: "json_object"} or {type: "json_schema", name?, description?, schema}, if said
//     formatByTool  whether a server may answer in that format by a tool
//     namespaces    by a tool's name, {namespace, name}: what a client of OpenAI's Responses calls it
//     names         {key of a call: the client's name for it}
//     echo          what the client's answers repeat of its body
//
// A part, each with `at`, its place in the client's body:
//     {type: "text", text, cache?}
//     {type: "image", mediaType, data} or {type: "image", url}
//     {type: "document", mediaType, data, name?} or {type: "document", text, name?}
//     {type: "tool", id, name, input}
//     {type: "result", id, isError, parts: [text, image or document]}
//     {type: "thinking", text, signature} or {type: "redacted", data}
//
// `cache` is the lifetime of the cache point behind it: "5m" or "1h".
//
// An answer: {model?, parts, reason, sequence?, usage}. Its parts are texts, thinking, {type: "refusal", text}, and
// tools, which have `arguments` too: the input as text.
//     reason        "end", "length", "sequence" (with the sequence where it is known), "tool", "refusal", "pause"
//     usage         {input, cacheRead, cacheWrite, output, reasoning?}: `input` without both caches
//
// The events of a stream, from a server's reader:
//     {type: "start", model?, usage?}, {type: "ping"}
//     {type: "text" | "thinking" | "refusal", text}, {type: "signature", signature}, {type: "redacted", data}
//     {type: "tool", key, id?, name}, {type: "arguments", key, text}
//     {type: "complete", key}, from servers that say when a block is
//     {type: "stop", reason, sequence?}, {type: "usage", usage}
//     {type: "end"} or {type: "error", error: {status, message}}
//
// and what `Sequence` makes of them for a client's writer: start, ping and error as they are, and
//     {type: "open", index, block}, {type: "delta", index, block, text}, {type: "close", index, block}
//     {type: "finish", reason, sequence?, usage, parts}
// where `block` is a part whose `text` (of tools: `arguments`) grows.

// Returns a call that asks for nothing yet.
export function newCall(names, { formatByTool }) {
    const empty = { system: [], turns: [], tools: [], namespaces: new Map() };
    return { stream: false, includeUsage: false, ...empty, names, formatByTool };
}

// Appends a part, in the same turn if the role is the same.
export function addPart(turns, role, part) {
    const last = turns.at(-1);
    if (last?.role === role) last.parts.push(part);
    else turns.push({ role, parts: [part] });
}

// Returns an object without the members that are undefined.
export function withoutUndefined(object) {
    return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

// Returns the names of the tools that a conversation has called, each once.
export function toolsCalled(turns) {
    const calls = turns.flatMap(({ parts }) => parts.filter(({ type }) => type === "tool"));
    return [...new Set(calls.map(({ name }) => name))];
}

// Returns the document that a tool was called with; an empty one where a limit has cut it off.
export function parseArguments(text) {
    try {
        return JSON.parse(text);
    } catch {
        return {};
    }
}

// What OpenAI's clients may ask for, and servers of Claude call otherwise.
const EFFORTS = { minimal: "low" };

// Returns the effort by the words of such servers; none is no effort there, but no thinking.
export function translateEffort(effort) {
    return effort === "none" ? { isThoughtless: true } : { effort: EFFORTS[effort] ?? effort };
}

export const NO_USAGE = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };
