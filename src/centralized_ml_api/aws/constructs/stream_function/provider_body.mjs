// What a provider gets of a body: its own name of the model, and bounds; all else as it came. One machine does the same
// (local/admission).

import { INVALID_BODY } from "./errors.mjs";

// How the bodies of a path name the most tokens of an answer.
const LIMITS = {
    "/v1/chat/completions": ["max_completion_tokens", "max_tokens"],
    "/v1/completions": ["max_tokens"],
    "/v1/responses": ["max_output_tokens"],
    "/v1/messages": ["max_tokens"],
};
const OLDER_LIMIT = "max_tokens";
const OTHER_MODELS = "models"; // which a provider may take instead, at their own prices
const WITH_STREAM_OPTIONS = ["/v1/chat/completions", "/v1/completions"];

// Returns the members of a body that are changed, so that an answer keeps to the entry's limit.
export function limitsOf(body, path, { provider, max_output_tokens: most }) {
    return limitAnswer(body, LIMITS[path] ?? [], most, provider.limit_key ?? OLDER_LIMIT);
}

// Returns the text that the provider gets. Throws INVALID_BODY where a member that is read here is there twice, or in
// other letters, or it names other models.
export function adaptToProvider(body, path, entry) {
    const { document } = body;
    const { provider } = entry;
    if (document[OTHER_MODELS])
        throw INVALID_BODY.saying(`'${OTHER_MODELS}' is not taken: the model of this path is the one that answers.`);
    const changes = { model: provider.model, ...limitsOf(body, path, entry) };
    if (addsUsage(document, path, provider))
        changes.stream_options = { ...optionsOf(document), include_usage: true };
    return body.editWatched(changes, [...(LIMITS[path] ?? []), "stream_options", OTHER_MODELS]);
}

// Returns whether a stream must be asked for its tokens, because its caller has not.
export function addsUsage(document, path, provider) {
    if (!provider.counts || !WITH_STREAM_OPTIONS.includes(path)) return false;
    return document.stream === true && optionsOf(document).include_usage !== true;
}

function optionsOf({ stream_options: options }) {
    return typeof options === "object" && !Array.isArray(options) ? options : {};
}

// Returns the members that bound the answer, where the body names more, or nothing, or a limit that the provider may not
// read: it is said once more by the older name. OpenAI, which prefers the newer one, refuses both together.
function limitAnswer(body, names, most, preferred) {
    if (!most || !names.length) return {};
    const key = names.includes(preferred) ? preferred : names[0];
    const named = names.filter((name) => body.document[name] !== undefined);
    if (!named.length) {
        const unset = names.find((name) => body.has(name));
        return { [unset ?? key]: most };
    }
    const isWithin = (value) => Number.isInteger(value) && value >= 0 && value <= most;
    const limits = named.map((name) => [name, isWithin(body.document[name]) ? body.document[name] : most]);
    const changed = limits.filter(([name, limit]) => limit !== body.document[name]);
    if (key === OLDER_LIMIT && !named.includes(key)) changed.push([key, Math.max(...limits.map(([, limit]) => limit))]);
    return Object.fromEntries(changed);
}
