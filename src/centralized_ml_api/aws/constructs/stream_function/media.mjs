// Answers the APIs of speech, images and reranking with endpoints whose containers speak them: the body reaches such a
// container without `model`, and its answer passes as it is.
//
// A container has one path for all of its APIs; those of AWS read which one is meant from the custom attributes.
// Source: https://aws.github.io/deep-learning-containers/vllm-omni/deployment/sagemaker/ (speech, images) and
// https://aws.github.io/deep-learning-containers/whisperx/deployment/sagemaker/ (forms with recordings)

import apis from "./apis.json" with { type: "json" };

import { invokeWith } from "./invoke.mjs";

export async function answerMedia({ body, path, accept, address, expense, answer, cancellation }) {
    const { bytes, type } = await body.encodeWithoutModel();
    const isMedia = apis.media.includes(apis.by_path[path]); // others are told apart by their bodies
    const route = isMedia ? { CustomAttributes: `route=${path}` } : {};
    await expense.reserve();
    const parameters = { Body: bytes, ContentType: type, Accept: accept ?? "*/*", ...route };
    const { headers, bytes: answered } = await invokeWith(address, parameters, cancellation);
    return answer.send(200, headers, answered);
}
