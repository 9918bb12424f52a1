// Rewords and counts what providers answer. An error keeps its status and its message, but for what concerns the
// provider's customer alone: the key, the account, the organization. A refused key is not the caller's fault, and is said
// differently. One machine does the same (local/envoy/provider_answers.lua).

import {
    ApiError,
    MODEL_FAILED,
    MODEL_REFUSED,
    MODEL_TOO_SLOW,
    PROVIDER_REFUSED_KEY,
    TOO_MANY_REQUESTS,
} from "./errors.mjs";
import { EVENTS_TYPE, framingOf } from "./framing.mjs";

const LONGEST_LOGGED = 1000;
const HIDDEN = "(hidden)";
const MESSAGES = ["message", "Message", "detail", "error"]; // where errors of other shapes have theirs

// What tells of the customer: keys, organizations, projects, users, accounts.
const SECRETS = [
    /sk-[\w*.-]+|gsk_[A-Za-z0-9*]+|xai-[A-Za-z0-9*]+|hf_[A-Za-z0-9*]+|fw_[A-Za-z0-9*]+|AIza[\w*-]+|Bearer\s+[\w*.-]+/g,
    /(?:org|proj|user|acct)[-_][A-Za-z0-9]{8}[\w-]*|project_number:\d+|projects\/[\w-]+/g,
    /[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}/g,
    /arn:aws[\w-]*:[\w:/.*-]+|\b\d{12}\b/g,
];

// Hides what looks random, or is masked already: words such as `user-provided` and `task-specific` stay.
export function hideSecrets(text) {
    const hide = (found) => (/[\d*/]|[a-z][A-Z]/.test(found) ? HIDDEN : found);
    return SECRETS.reduce((hidden, pattern) => hidden.replaceAll(pattern, hide), text);
}

// Returns the error that callers get for a provider's, and logs what it said.
export function rewordError({ status, headers, text, name, requestId }) {
    const said = hideSecrets(headers["content-encoding"] ? "" : text);
    const shown = said.slice(0, LONGEST_LOGGED).replaceAll(/\p{Cc}/gu, " ");
    console.warn(JSON.stringify({ request_id: requestId, model: name, provider_status: status, said: shown }));
    if (isRefusalOfKey(status, said)) return PROVIDER_REFUSED_KEY;
    if (status < 400) return MODEL_FAILED;
    const error = errorOfStatus(status, findString(said, MESSAGES));
    if (error.status !== status) return error;
    if (headers["retry-after"]) error.retryAfter = headers["retry-after"];
    const keepsShape = /^\s*\{\s*"(?:error"\s*:\s*\{|type"\s*:\s*"error")/.test(said) && parse(said);
    return keepsShape ? Object.assign(error, { modelBody: said }) : error;
}

// Returns the error that callers get for a status of a provider, before or within an answer; `said` is without secrets.
export function errorOfStatus(status, said) {
    if (isRefusalOfKey(status, said)) return PROVIDER_REFUSED_KEY;
    if (status === 408) return MODEL_TOO_SLOW; // Bedrock's ModelTimeoutException
    if (status === 424) return MODEL_FAILED.saying(said ?? MODEL_FAILED.message); // ModelErrorException
    const { type, code, message } = status === 429 ? TOO_MANY_REQUESTS : status < 500 ? MODEL_REFUSED : MODEL_FAILED;
    return new ApiError(status, type, code, said ?? message);
}

// Gemini refuses a key with 400.
export function isRefusalOfKey(status, text = "") {
    return status === 401 || status === 403 || (status === 400 && /API_KEY_INVALID|API key not valid/.test(text));
}

// Returns the first JSON string that follows one of these keys.
function findString(text, keys) {
    for (const key of keys) {
        const found = new RegExp(`"${key}"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*")`).exec(text);
        if (found) return parse(found[1]) ?? undefined;
    }
}

// What says that an answer ends: why it does, as chats and messages say, or the marker that comes last, which many servers
// leave out. In what a model writes, quotes stand behind backslashes.
const END = /_reason"\s*:\s*"[^"]|"message_stop"|^data: ?\[DONE\]/m;

// Yields complete events as they come, without those that have nothing but tokens, if `hides`, and without what tells of
// the customer in those that are errors; notes the tokens, and `is_broken_off` where an error ends what has begun, or where
// it stops after an early report, without a word that the answer has ended: what the model had written by then, no event may
// say.
export async function* passEvents(chunks, hides, usage) {
    let isEarly = false;
    let hasEnded = false;
    for await (const bytes of framingOf(EVENTS_TYPE).cut(chunks)) {
        const text = bytes.toString("utf8");
        hasEnded ||= END.test(text);
        if (!text.includes('"usage"') && !text.includes('"error"')) {
            yield bytes;
            continue;
        }
        const events = text.match(/[^]*?(?:\r?\n\r?\n|$)/g).filter((event) => !(noteEvent(event, usage) && hides));
        if (events.some(isError)) usage.is_broken_off = true;
        isEarly ||= events.some(reportsEarly);
        const kept = events.map((event) => (isError(event) ? hideSecrets(event) : event)).join("");
        if (kept) yield Buffer.from(kept);
    }
    if (isEarly && !hasEnded) usage.is_broken_off = true;
}

// Returns whether an event reports while its answer is being written: the beginning of a message, or a piece of a chat, as
// some servers count them. All other reports come with an end.
function reportsEarly(event) {
    const value = valueOf(event);
    return isObject(value?.message?.usage) || (isObject(value?.usage) && value.choices?.length > 0);
}

// Notes the tokens of an event; returns whether it has nothing else.
function noteEvent(event, usage) {
    const value = valueOf(event);
    noteUsage(value, usage);
    return Array.isArray(value?.choices) && !value.choices.length && isObject(value.usage);
}

// Returns whether an event is an error: of a chat or a message, or of a response that failed.
function isError(event) {
    const value = valueOf(event);
    return Boolean(value?.error ?? value?.response?.error) || value?.type === "error";
}

function valueOf(event) {
    return parse(/^data:(.*)$/m.exec(event)?.[1] ?? "");
}

// Notes the tokens that an answer reports: a chat's, a response's, a message's, whole or an event of it. Of several reports
// in one answer the largest counts: reports of a stream grow, and an event that repeats a number as 0 takes nothing back. A
// report of nothing is none: there are servers that count nothing.
export function noteUsage(value, usage) {
    for (const found of [value?.usage, value?.response?.usage, value?.message?.usage]) {
        if (!isObject(found)) continue;
        const details = found.prompt_tokens_details ?? found.input_tokens_details;
        const cached = found.cache_read_input_tokens ?? found.cacheReadInputTokens;
        const written = found.cache_creation_input_tokens ?? found.cacheWriteInputTokens;
        // Anthropic and Converse count what their cache has read or written apart.
        const apart = (found.input_tokens ?? found.inputTokens) + (cached ?? 0) + (written ?? 0);
        const writes = found.completion_tokens ?? found.output_tokens ?? found.outputTokens;
        const { prompt_tokens: prompt, total_tokens: total } = found;
        const reads = prompt ?? (Number.isInteger(apart) ? apart : undefined);
        note(usage, "tokens_in", reads ?? (writes === undefined ? total : undefined));
        note(usage, "tokens_cached", details?.cached_tokens ?? cached);
        // Who counts in the total what the cache has written says it among the details, as OpenRouter does.
        const cacheWrites = written ?? details?.cache_write_tokens;
        if (cacheWrites) note(usage, "tokens_cache_writes", cacheWrites);
        // Some servers count thoughts in the total alone.
        note(usage, "tokens_out", total - prompt > (writes ?? 0) ? total - prompt : writes);
    }
}

function note(usage, name, tokens) {
    if (Number.isSafeInteger(tokens) && tokens > (usage[name] ?? 0)) usage[name] = tokens;
}

function isObject(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Parses JSON; null for anything else.
export function parse(text) {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
}
