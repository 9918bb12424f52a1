// What a call may need at most, in tokens, and what its body must say so that it cannot need more. Pure. One machine counts
// the same (local/admission/needs.py); the same cases test both.
//
// A token has at least one byte, so a prompt of text has no more tokens than its body has bytes. What its server adds, such
// as a chat template, is allowed for, and so are images and sounds. What a body only names, such as an earlier response or
// a file at the provider, has no bound: such a call is refused.

import { INVALID_BODY } from "./errors.mjs";

const TEMPLATE_TOKENS = 256; // what a server writes around a prompt
// What it writes around tools.
// Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview#pricing (346 to 804 tokens)
const TOOL_TEMPLATE_TOKENS = 1024;
// The most that one image has at any provider.
// Source: https://platform.openai.com/docs/guides/images-vision#calculating-costs (gpt-4o-mini)
const MEDIA_TOKENS = 50_000;
const BYTES_PER_TOKEN = 4; // where an API has no tokens

// How the bodies of a path name the most tokens of an answer.
export const OUTPUT_LIMITS = {
    "/v1/chat/completions": ["max_completion_tokens", "max_tokens"],
    "/v1/completions": ["max_tokens"],
    "/v1/responses": ["max_output_tokens"],
    "/v1/messages": ["max_tokens"],
};
const OLDER_LIMIT = "max_tokens"; // which servers read that know no newer name
const LLAMA_CPPS_OWN = "n_predict";
const COMPLETIONS_PATH = "/v1/completions";
const RESPONSES_PATH = "/v1/responses";

const UNBOUNDED = [
    ...["previous_response_id", "conversation", "prompt", "prediction"],
    ...["web_search_options", "search_parameters", "plugins", "mcp_servers", "container"],
    ...["chat_template", "mm_processor_kwargs", "cached_content"],
];
const UNBOUNDED_PARTS = ["file_id", "file_url", "item_reference", "cached_content"];
// What some providers sell for more than their price.
// Source: https://platform.claude.com/docs/en/about-claude/pricing (data residency costs a tenth more)
const DEARER = { service_tier: "priority", speed: "fast", inference_geo: "us" };
// Who else may answer, at OpenRouter, Vercel's gateway and LiteLLM's.
const OTHER_SELLERS = ["models", "provider", "providerOptions", "fallbacks"];
// Summaries that the provider writes of a conversation, whose tokens are no part of its report.
// Source: https://platform.claude.com/docs/en/build-with-claude/compaction
const COMPACTED = "compact";
// The members in which parts are looked for.
const ROOTS = ["messages", "input", "system", "instructions", "extra_body", "google"];
const PLAIN_TOOLS = ["function", "custom"];
const NAMESPACE = "namespace"; // a tool of Responses that holds functions, as Codex has it
const MEDIA = ["image", "audio"];
const LONG_MEDIA = ["document", "file", "video"];
// Some servers read a part without a type by its keys.
// Source: https://docs.vllm.ai/en/stable/features/multimodal_inputs/
const MEDIA_KEYS = ["image", "image_url", "audio", "audio_url", "input_audio"];
const LONG_MEDIA_KEYS = ["video", "video_url", "input_video"];
const WRITTEN_OUT = ["text", "content"]; // the sources of a document whose text is in the body
// The member as it stands in a body. JSON may write its letters as escapes, which no encoder does.
const WRITES_CACHE = /cache_control|\\u00[4-7]/i;

// Returns whether a body may ask its provider to write a cache, which some sell for twice the price.
export function mayWriteCache(body) {
    return WRITES_CACHE.test(body.toString("latin1"));
}

// Returns the members that say how much a call asks for: none may be there twice.
export function listBounding(path) {
    return [...(OUTPUT_LIMITS[path] ?? []), "n", "best_of", LLAMA_CPPS_OWN];
}

// Returns all members that decide what a call of a limited team may need.
export function listMeasured(path) {
    const read = [...ROOTS, "tools", "functions", "background", "context_management", ...OTHER_SELLERS];
    return [...listBounding(path), ...read, ...Object.keys(DEARER), ...UNBOUNDED];
}

// Returns what a call needs where tokens are counted from bytes, as at its end: `{read, written}`.
export function measureBytes(bodyBytes, { answerTokens }) {
    return { read: Math.floor(bodyBytes / BYTES_PER_TOKEN), written: answerTokens };
}

// Returns what a call needs at most, `{read, written, members}`: tokens, and the members that its body must have for that.
// Throws INVALID_BODY where nothing bounds it.
//
// `document` has no members that are null; `has` tells whether a member is there, be it null. The terms are
// `{path, answerTokens, cap, limitKey}`: the longest answer where neither the entry nor the caller has a number, the most
// tokens that the entry allows, and how a chat names them.
export function measureNeed(bodyBytes, document, has, terms) {
    refuseUnbounded(document, terms.path);
    const media = [...listParts(document)].filter(isMedia).length;
    const tools = isFilled(document.tools) || isFilled(document.functions) ? TOOL_TEMPLATE_TOKENS : 0;
    const read = bodyBytes + TEMPLATE_TOKENS + tools + media * MEDIA_TOKENS;
    if (!OUTPUT_LIMITS[terms.path]) return { read, written: 0, members: {} };
    const { most, members } = boundAnswer(document, has, terms);
    const written = Math.min(most * countAnswers(document, terms.path), Number.MAX_SAFE_INTEGER);
    return { read, written, members };
}

// Returns the most tokens of one answer, and the members that its body must have to say so. A limit that the caller names
// and the server may not read is said once more, by the name that it reads: OpenAI, which prefers the newer one, refuses
// both together. To some servers 0 means that there is no limit: it becomes 1.
export function boundAnswer(document, has, { path, answerTokens, cap, limitKey }) {
    const names = OUTPUT_LIMITS[path];
    const most = cap ?? answerTokens;
    const given = [...names, LLAMA_CPPS_OWN].filter((name) => document[name] !== undefined);
    const isWithin = (value) => Number.isInteger(value) && value >= 0 && value <= (cap ?? Infinity);
    const members = Object.fromEntries(given.filter((name) => !isWithin(document[name])).map((name) => [name, most]));
    for (const name of given) if (document[name] === 0) members[name] = 1;
    const named = names.filter((name) => given.includes(name));
    const limits = named.map((name) => members[name] ?? document[name]);
    const key = names.includes(limitKey) ? limitKey : names[0];
    if (!limits.length) members[names.find(has) ?? key] = most;
    else if (!named.includes(key) && key === OLDER_LIMIT) members[key] = Math.max(...limits);
    const said = { ...Object.fromEntries(given.map((name) => [name, document[name]])), ...members };
    return { most: Math.max(...Object.values(said)), members };
}

// Returns how many answers a call asks for. Throws INVALID_BODY where it says so by something else than a number.
function countAnswers(document, path) {
    const counts = ["n", "best_of"].map((name) => (isFilled(document[name]) ? document[name] : 1));
    if (!counts.every((count) => count === true || (Number.isInteger(count) && count >= 1)))
        throw INVALID_BODY.saying("'n' and 'best_of' must be whole numbers, at least 1.");
    if (path !== COMPLETIONS_PATH) return Math.max(...counts);
    const { prompt } = document;
    const isList = Array.isArray(prompt) && prompt.length > 0 && !Number.isInteger(prompt[0]);
    return Math.max(...counts) * (isList ? prompt.length : 1);
}

function refuseUnbounded(document, path) {
    for (const name of UNBOUNDED) {
        if (isFilled(document[name]) && !(name === "prompt" && path !== RESPONSES_PATH)) throw unbounded(name);
    }
    for (const [name, value] of Object.entries(DEARER)) {
        if (document[name] === value)
            throw INVALID_BODY.saying(
                `'${name}' must not be '${value}' for a team whose tokens or dollars are limited: it costs more.`,
            );
    }
    for (const tool of listTools(document.tools)) {
        const hosted = nameHosted(tool);
        if (hosted) throw unbounded(hosted.slice(0, 40));
    }
    for (const name of OTHER_SELLERS) {
        if (isFilled(document[name]))
            throw INVALID_BODY.saying(
                `'${name}' is not taken from a team whose tokens or dollars are limited: others have other prices.`,
            );
    }
    if (isFilled(document.background))
        throw INVALID_BODY.saying(
            "'background' is not taken from a team whose tokens or dollars are limited: what it uses is known too late.",
        );
    for (const { type: kind } of listParts({ input: document.context_management }))
        if (String(kind).includes(COMPACTED)) throw unbounded(String(kind).slice(0, 40));
    for (const part of listParts(document)) refuseUnboundedPart(part);
}

// Yields the tools of a body, those in namespaces too, in order.
function* listTools(tools) {
    const pending = [tools];
    while (pending.length) {
        const item = pending.pop();
        if (Array.isArray(item)) for (const tool of item.toReversed()) pending.push(tool);
        else if (isObject(item) && item.type === NAMESPACE && Array.isArray(item.tools)) pending.push(item.tools);
        else if (isObject(item)) yield item;
    }
}

// Returns what a tool is called that the provider runs, null for a function of the caller's.
function nameHosted(tool) {
    const kind = tool.type ?? null;
    // Anthropic's functions have no type, nor have Gemini's own tools.
    if (kind === null) return "name" in tool || "function" in tool ? null : (Object.keys(tool)[0] ?? null);
    return PLAIN_TOOLS.includes(kind) ? null : String(kind);
}

function refuseUnboundedPart(part) {
    const { type: kind, source } = part;
    for (const name of UNBOUNDED_PARTS) {
        if (isFilled(part[name]) || kind === name) throw unbounded(name);
    }
    const isWrittenOut = isObject(source) && WRITTEN_OUT.includes(source.type);
    const isLong = typeof kind === "string" && LONG_MEDIA.some((word) => kind.includes(word)) && !isWrittenOut;
    const long = isLong ? kind : LONG_MEDIA_KEYS.find((name) => isFilled(part[name]));
    if (long)
        throw INVALID_BODY.saying(
            `'${long.slice(0, 40)}' is not taken from a team whose tokens or dollars are limited: nobody knows how` +
                " many tokens it has. Send its text.",
        );
}

function unbounded(name) {
    return INVALID_BODY.saying(
        `'${name}' is not taken from a team whose tokens or dollars are limited: nothing bounds what it makes the model` +
            " read. Send the content itself.",
    );
}

// Yields every object in the messages of a body, whatever the API.
function* listParts(document) {
    const pending = ROOTS.map((name) => document[name]);
    while (pending.length) {
        const item = pending.pop();
        if (Array.isArray(item)) {
            for (const part of item) pending.push(part);
        } else if (isObject(item)) {
            yield item;
            const isCalled = item.type === "tool_use"; // its `input` is the caller's own JSON
            for (const [name, value] of Object.entries(item)) if (!(isCalled && name === "input")) pending.push(value);
        }
    }
}

function isMedia(part) {
    const { type: kind } = part;
    const isTold = typeof kind === "string" && MEDIA.some((word) => kind.includes(word));
    return isTold || MEDIA_KEYS.some((name) => isFilled(part[name]));
}

// Returns whether a value is more than null, nothing, zero or an empty text, list or object.
function isFilled(value) {
    if (Array.isArray(value)) return value.length > 0;
    return isObject(value) ? Object.keys(value).length > 0 : Boolean(value);
}

function isObject(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
