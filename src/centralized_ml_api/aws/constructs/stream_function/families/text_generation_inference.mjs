// Hugging Face's TGI, and AWS's LMI (DJL Serving), which speaks the same but streams lines for events.
//
// Source: https://huggingface.co/docs/text-generation-inference/reference/api_reference and
// https://docs.djl.ai/docs/serving/serving/docs/lmi/user_guides/lmi_input_output_schema.html

import { MODEL_FAILED } from "../errors.mjs";
import { checkPlain, maxTokensOf, promptOf, samplingOf, stopsOf } from "./plain_chat.mjs";

export const textGenerationInference = {
    task: "chat",
    streams: true,
    check: checkPlain,
    stops: stopsOf,
    build: (asked) => ({
        inputs: promptOf(asked),
        parameters: parametersOf(asked),
        ...(asked.stream && { stream: true }),
    }),
    read: (answer) => {
        const [one] = [answer].flat();
        if (typeof one?.generated_text !== "string") throw unexpected(one);
        return { text: one.generated_text, ...endOf(one.details) };
    },
    // The last value has the whole text once more, which was sent already.
    readPiece: (value) => {
        if (typeof value?.token?.text !== "string") throw unexpected(value);
        return { text: value.token.special ? "" : value.token.text, ...endOf(value.details) };
    },
};

function parametersOf(asked) {
    const stop = stopsOf(asked);
    return {
        max_new_tokens: maxTokensOf(asked),
        return_full_text: false,
        details: true,
        ...samplingOf(asked),
        ...(stop.length && { stop }),
    };
}

function endOf(details) {
    if (!details) return {};
    return { finish: details.finish_reason === "length" ? "length" : "stop", usage: usageOf(details) };
}

function usageOf({ generated_tokens: out, input_length: length, prefill }) {
    const into = length ?? (prefill?.length || undefined);
    if (into === undefined || out === undefined) return undefined;
    return { prompt_tokens: into, completion_tokens: out, total_tokens: into + out };
}

function unexpected(value) {
    const said =
        typeof value?.error === "string"
            ? value.error
            : "The model answered in another form than it is said to speak.";
    return MODEL_FAILED.saying(said);
}
