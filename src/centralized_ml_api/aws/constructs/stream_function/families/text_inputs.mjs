// JumpStart's older containers of Hugging Face models. They answer at once: a stream has one piece of text.
//
// Source: https://github.com/aws/amazon-sagemaker-examples (Amazon_JumpStart_Text_Generation.ipynb)

import { MODEL_FAILED } from "../errors.mjs";
import { checkPlain, maxTokensOf, promptOf, samplingOf, stopsOf } from "./plain_chat.mjs";

export const textInputs = {
    task: "chat",
    streams: false,
    check: checkPlain,
    stops: stopsOf,
    build: (asked) => ({
        text_inputs: promptOf(asked),
        max_new_tokens: maxTokensOf(asked),
        ...samplingOf(asked),
    }),
    read: (answer, asked) => {
        const [text] = [answer?.generated_texts ?? answer?.generated_text].flat(2);
        if (typeof text !== "string")
            throw MODEL_FAILED.saying("The model answered in another form than it is said to speak.");
        const prompt = promptOf(asked);
        return { text: text.startsWith(prompt) ? text.slice(prompt.length) : text };
    },
};
