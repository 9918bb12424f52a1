// What a provider gets of a body: its own name of the model, and bounds; all else as it came. One machine does the same
// (local/admission).

import { INVALID_BODY } from "./errors.mjs";
import { OUTPUT_LIMITS, boundAnswer, listBounding } from "./needs.mjs";

const OLDER_LIMIT = "max_tokens";
const OTHER_MODELS = "models"; // which a provider may take instead, at their own prices
const WITH_STREAM_OPTIONS = ["/v1/chat/completions", "/v1/completions"];

// Returns the members of a body that are changed, so that an answer keeps to the entry's limit.
export function limitsOf(body, path, { provider, max_output_tokens: cap }) {
    if (!cap || !OUTPUT_LIMITS[path]) return {};
    const terms = { path, cap, limitKey: provider.limit_key ?? OLDER_LIMIT };
    return boundAnswer(body.document, (name) => body.has(name), terms).members;
}

// Returns the text that the provider gets, with these bounds of the answer. Throws INVALID_BODY where a member that is read
// here, or one of `measured`, is there twice or in other letters, or it names other models.
export function adaptToProvider(body, path, { provider }, bounds, measured = []) {
    const { document } = body;
    if (document[OTHER_MODELS])
        throw INVALID_BODY.saying(`'${OTHER_MODELS}' is not taken: the model of this path is the one that answers.`);
    const changes = { model: provider.model, ...bounds };
    if (addsUsage(document, path, provider))
        changes.stream_options = { ...optionsOf(document), include_usage: true };
    return body.editWatched(changes, [...listBounding(path), ...measured, "stream_options", OTHER_MODELS]);
}

// Returns whether a stream must be asked for its tokens, because its caller has not.
export function addsUsage(document, path, provider) {
    if (!provider.counts || !WITH_STREAM_OPTIONS.includes(path)) return false;
    return document.stream === true && optionsOf(document).include_usage !== true;
}

function optionsOf({ stream_options: options }) {
    return typeof options === "object" && !Array.isArray(options) ? options : {};
}
