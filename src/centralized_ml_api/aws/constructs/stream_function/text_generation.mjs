// Translates chat for servers that continue one text, and rejects what they do not support.

import { MODEL_FAILED, unsupported } from "./errors.mjs";
import { buildPrompt, checkMessages, promptStops } from "./prompt.mjs";

const DEFAULT_MAX_TOKENS = 512; // some servers stop after 20 unless told otherwise

// Hugging Face's TGI, and AWS's LMI (DJL Serving), which has the same API but streams JSON lines instead of events.
//
// Source: https://huggingface.co/docs/text-generation-inference/reference/api_reference and
// https://docs.djl.ai/docs/serving/serving/docs/lmi/user_guides/lmi_input_output_schema.html
export const textGenerationInference = {
    task: "chat",
    streams: true,
    check,
    stops: stopsOf,
    build: (body) => {
        const stop = stopsOf(body);
        return {
            inputs: buildPrompt(body.messages),
            parameters: {
                max_new_tokens: maxTokensOf(body),
                return_full_text: false,
                details: true,
                ...samplingOf(body),
                ...(stop.length && { stop }),
            },
            ...(body.stream && { stream: true }),
        };
    },
    read: (answer) => {
        const [generation] = [answer].flat();
        if (typeof generation?.generated_text !== "string") throw unexpected(generation);
        return { text: generation.generated_text, ...endOf(generation.details) };
    },
    // The last value repeats the complete text, which was already sent.
    readPiece: (value) => {
        if (typeof value?.token?.text !== "string") throw unexpected(value);
        return { text: value.token.special ? "" : value.token.text, ...endOf(value.details) };
    },
};

// JumpStart's older containers for Hugging Face models. They do not stream: a stream has one piece of text.
//
// Source: https://github.com/aws/amazon-sagemaker-examples (Amazon_JumpStart_Text_Generation.ipynb)
export const textInputs = {
    task: "chat",
    streams: false,
    check,
    stops: stopsOf,
    build: (body) => ({
        text_inputs: buildPrompt(body.messages),
        max_new_tokens: maxTokensOf(body),
        ...samplingOf(body),
    }),
    read: (answer, body) => {
        const [text] = [answer?.generated_texts ?? answer?.generated_text].flat(2);
        if (typeof text !== "string") throw unexpected();
        const prompt = buildPrompt(body.messages);
        return { text: text.startsWith(prompt) ? text.slice(prompt.length) : text };
    },
};

function check(body) {
    checkMessages(body.messages);
    if ((body.n ?? 1) !== 1) throw unsupported("This model generates one answer per request: remove `n`.");
    if (body.tools?.length) throw unsupported("This model does not support `tools`.");
    if ((body.response_format?.type ?? "text") !== "text")
        throw unsupported("This model does not support `response_format`.");
    if (body.logprobs) throw unsupported("This model does not support `logprobs`.");
}

function stopsOf(body) {
    return [body.stop ?? []].flat().concat(promptStops(body.messages));
}

function maxTokensOf(body) {
    return body.max_completion_tokens ?? body.max_tokens ?? DEFAULT_MAX_TOKENS;
}

// Translates a temperature of 0, which means no sampling, to `do_sample`; leaves out a `top_p` of 1, the default.
function samplingOf({ temperature, top_p: topP, seed }) {
    return {
        ...(temperature === 0 && { do_sample: false }),
        ...(temperature > 0 && { do_sample: true, temperature }),
        ...(topP < 1 && { top_p: topP }),
        ...(seed != null && { seed }),
    };
}

function endOf(details) {
    if (!details) return {};
    return { finish: details.finish_reason === "length" ? "length" : "stop", usage: usageOf(details) };
}

function usageOf({ generated_tokens: completion, input_length: length, prefill }) {
    const prompt = length ?? (prefill?.length || undefined);
    if (prompt === undefined || completion === undefined) return undefined;
    return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

// Returns the error for a response in another format: with the server's own message, if it has one.
function unexpected(value) {
    return typeof value?.error === "string"
        ? MODEL_FAILED.saying(value.error)
        : MODEL_FAILED.withMessage("other_form");
}
