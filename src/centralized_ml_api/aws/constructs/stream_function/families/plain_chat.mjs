// What servers that continue one text have in common: what they cannot do, and how long they may go on.

import { unsupported } from "../errors.mjs";
import { buildPrompt, checkMessages, promptStops } from "../prompt.mjs";

const DEFAULT_MAX_TOKENS = 512; // some servers stop after 20 when nobody says more

export function checkPlain(asked) {
    checkMessages(asked.messages);
    if ((asked.n ?? 1) !== 1) throw unsupported("This model gives one answer; leave out `n`.");
    if (asked.tools?.length) throw unsupported("This model takes no `tools`.");
    if ((asked.response_format?.type ?? "text") !== "text")
        throw unsupported("This model takes no `response_format`.");
    if (asked.logprobs) throw unsupported("This model gives no `logprobs`.");
}

export function promptOf(asked) {
    return buildPrompt(asked.messages);
}

export function stopsOf(asked) {
    return [asked.stop ?? []].flat().concat(promptStops(asked.messages));
}

export function maxTokensOf(asked) {
    return asked.max_completion_tokens ?? asked.max_tokens ?? DEFAULT_MAX_TOKENS;
}

// A temperature of 0 means no chance at all, for which these servers have another word; a `top_p` of 1 means
// nothing.
export function samplingOf({ temperature, top_p: topP, seed }) {
    return {
        ...(temperature === 0 && { do_sample: false }),
        ...(temperature > 0 && { do_sample: true, temperature }),
        ...(topP < 1 && { top_p: topP }),
        ...(seed != null && { seed }),
    };
}
