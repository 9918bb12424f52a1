// Calls of SageMaker endpoints. A call is never repeated: a model would do its work twice.

import {
    InvokeEndpointCommand,
    InvokeEndpointWithResponseStreamCommand,
    SageMakerRuntimeClient,
} from "@aws-sdk/client-sagemaker-runtime";

import { begun, payloadParts } from "./event_stream.mjs";

const client = new SageMakerRuntimeClient({ maxAttempts: 1 });

// The request headers that SageMaker knows, and the SDK's words for them.
// Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointWithResponseStream.html
const PARAMETERS = {
    "x-amzn-sagemaker-custom-attributes": "CustomAttributes",
    "x-amzn-sagemaker-inference-component": "InferenceComponentName",
    "x-amzn-sagemaker-inference-id": "InferenceId",
    "x-amzn-sagemaker-session-id": "SessionId",
    "x-amzn-sagemaker-target-container-hostname": "TargetContainerHostname",
    "x-amzn-sagemaker-target-variant": "TargetVariant",
};

// What of a request reaches the model: its type, what it accepts, and the configured headers.
export function callOf(request, configured) {
    const call = { Body: request.body, ContentType: request.headers["content-type"] };
    if (request.headers.accept) call.Accept = request.headers.accept;
    for (const name of configured.map((one) => one.toLowerCase())) {
        const value = request.headers[name];
        if (PARAMETERS[name] && value) call[PARAMETERS[name]] = value;
    }
    return call;
}

export function jsonCall(body, accept) {
    return { Body: JSON.stringify(body), ContentType: "application/json", Accept: accept };
}

// The whole answer: `headers` for the caller, and its bytes.
export async function invoke(endpoint, call, watch) {
    watch.expect();
    const command = new InvokeEndpointCommand({ EndpointName: endpoint, ...call });
    const answer = await client.send(command, { abortSignal: watch.signal });
    watch.heard();
    return { headers: headersOf(answer), body: answer.Body };
}

// The answer in pieces, once the first is there.
export async function invokeStreaming(endpoint, call, watch) {
    watch.expect();
    const command = new InvokeEndpointWithResponseStreamCommand({ EndpointName: endpoint, ...call });
    const answer = await client.send(command, { abortSignal: watch.signal });
    return { headers: headersOf(answer), parts: await begun(payloadParts(answer.Body, watch)) };
}

function headersOf(answer) {
    const headers = { "content-type": answer.ContentType ?? "application/octet-stream" };
    if (answer.CustomAttributes) headers["x-amzn-sagemaker-custom-attributes"] = answer.CustomAttributes;
    return headers;
}
