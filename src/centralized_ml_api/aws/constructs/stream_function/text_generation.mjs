// Translates chat for servers that continue one text, and rejects what they do not support.

import { MODEL_FAILED } from "./errors.mjs";
import { checkFields, integer, number, refuse } from "./field_checks.mjs";
import { buildPrompt, checkMessages, promptStops } from "./prompt.mjs";

const DEFAULT_MAX_TOKENS = 512; // some servers stop after 20 unless told otherwise
const TEXT_INPUTS_MAX_TOKENS = 4096; // more than the contexts of these models; the container itself has no limit
const FIELDS = { temperature: number, top_p: number, seed: integer(-(2 ** 63)) };

// Hugging Face's TGI, and AWS's LMI (DJL Serving), which has the same API but streams JSON lines instead of events.
//
// Source: https://huggingface.co/docs/text-generation-inference/reference/api_reference and
// https://docs.djl.ai/docs/serving/serving/docs/lmi/user_guides/lmi_input_output_schema.html
export const textGenerationInference = {
    task: "chat",
    streams: true,
    check,
    prompt: promptOf,
    stops: stopsOf,
    build: (document) => {
        const stop = stopsOf(document);
        return {
            inputs: promptOf(document),
            parameters: {
                max_new_tokens: maxTokensOf(document),
                return_full_text: false,
                details: true,
                ...samplingOf(document),
                ...(stop.length && { stop }),
            },
            ...(document.stream && { stream: true }),
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
    prompt: promptOf,
    stops: stopsOf,
    build: (document) => ({
        text_inputs: promptOf(document),
        max_new_tokens: Math.min(maxTokensOf(document), TEXT_INPUTS_MAX_TOKENS),
        ...samplingOf(document),
    }),
    read: (answer, document) => {
        const [text] = [answer?.generated_texts ?? answer?.generated_text].flat(2);
        if (typeof text !== "string") throw unexpected();
        const prompt = promptOf(document);
        return { text: text.startsWith(prompt) ? text.slice(prompt.length) : text };
    },
};

function check(document) {
    const { messages, n, tools, functions, tool_choice: choice, response_format: format, logprobs } = document;
    checkMessages(messages);
    checkFields(document, FIELDS);
    if ((n ?? 1) !== 1) refuse("This model generates one answer per request: remove 'n'.");
    const needsTools = typeof choice === "object" || choice === "required";
    const mayUseTools = (tools?.length || functions?.length) && choice !== "none";
    if (needsTools || mayUseTools) refuse("This model cannot call tools: its server has no place for them.");
    if ((format?.type ?? "text") !== "text") refuse("This model does not support 'response_format'.");
    if (logprobs) refuse("This model does not support 'logprobs'.");
}

function promptOf({ messages }) {
    return buildPrompt(messages);
}

function stopsOf({ stop, messages }) {
    return [stop ?? []].flat().filter((text) => text !== null).concat(promptStops(messages));
}

function maxTokensOf(document) {
    return document.max_completion_tokens ?? document.max_tokens ?? DEFAULT_MAX_TOKENS;
}

// Translates a temperature of 0, which means no sampling, to `do_sample`; leaves out a `top_p` of 1, the default.
function samplingOf({ temperature, top_p: topP, seed }) {
    return {
        ...(temperature === 0 && { do_sample: false }),
        ...(temperature > 0 && { do_sample: true, temperature }),
        ...(topP < 1 && { top_p: topP }),
        ...(seed !== undefined && { seed }),
    };
}

function endOf(details) {
    if (!details) return {};
    return { finish: details.finish_reason === "length" ? "length" : "stop", counted: countedBy(details) };
}

function countedBy({ generated_tokens: completion, input_length: length, prefill }) {
    return { prompt: length ?? (prefill?.length || undefined), completion };
}

// Returns the error for a response in another format: with the server's own message, if it has one.
function unexpected(value) {
    return typeof value?.error === "string"
        ? MODEL_FAILED.saying(value.error)
        : MODEL_FAILED.withMessage("other_form");
}
