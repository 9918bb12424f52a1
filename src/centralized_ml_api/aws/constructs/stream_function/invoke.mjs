// Calls SageMaker endpoints. A call is never repeated: a model would do its work twice.

import {
    InvokeEndpointCommand,
    InvokeEndpointWithResponseStreamCommand,
    SageMakerRuntimeClient,
} from "@aws-sdk/client-sagemaker-runtime";

import { MODEL_FAILED } from "./errors.mjs";
import { begun, payloadParts } from "./framing.mjs";

const client = new SageMakerRuntimeClient({ maxAttempts: 1 });

// The request headers that SageMaker knows, and the SDK's names for them.
// Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointWithResponseStream.html
const PARAMETERS = {
    "x-amzn-sagemaker-custom-attributes": "CustomAttributes",
    "x-amzn-sagemaker-inference-component": "InferenceComponentName",
    "x-amzn-sagemaker-inference-id": "InferenceId",
    "x-amzn-sagemaker-session-id": "SessionId",
    "x-amzn-sagemaker-target-container-hostname": "TargetContainerHostname",
    "x-amzn-sagemaker-target-variant": "TargetVariant",
};

// `POST /{name}` of an entry that streams: its bytes pass unchanged, in and out.
export async function passThrough(request, model, answer, cancellation) {
    const call = callOf(request, model.headers);
    const { headers, parts } = await invokeStreaming(model.endpoint, call, cancellation);
    answer.begin(200, headers);
    await answer.pass(parts);
}

// What of a request reaches the model: its type, what it accepts, and the configured headers.
function callOf(request, configured) {
    const call = { Body: request.body, ContentType: request.headers["content-type"] };
    if (request.headers.accept) call.Accept = request.headers.accept;
    for (const name of configured.map((header) => header.toLowerCase())) {
        const value = request.headers[name];
        if (PARAMETERS[name] && value) call[PARAMETERS[name]] = value;
    }
    return call;
}

// The model's whole answer to a JSON body: `headers` for the client, and its bytes.
export async function invoke(endpoint, body, cancellation) {
    cancellation.startIdleTimer();
    const call = jsonCall(body, "application/json");
    const command = new InvokeEndpointCommand({ EndpointName: endpoint, ...call });
    const answer = await client.send(command, { abortSignal: cancellation.signal });
    cancellation.stopIdleTimer();
    return { headers: headersOf(answer), bytes: answer.Body };
}

// The model's answer to a JSON body as server-sent events.
export function invokeEvents(endpoint, body, cancellation) {
    return invokeStreaming(endpoint, jsonCall(body, "text/event-stream"), cancellation);
}

// The answer in pieces, once the first is there.
async function invokeStreaming(endpoint, call, cancellation) {
    cancellation.startIdleTimer();
    const command = new InvokeEndpointWithResponseStreamCommand({ EndpointName: endpoint, ...call });
    const answer = await client.send(command, { abortSignal: cancellation.signal });
    return { headers: headersOf(answer), parts: await begun(payloadParts(answer.Body, cancellation)) };
}

// What a model answered, as a value.
export function readModelJson(bytes) {
    try {
        return JSON.parse(typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8"));
    } catch {
        throw MODEL_FAILED.withMessage("not_json");
    }
}

function jsonCall(body, accept) {
    return { Body: JSON.stringify(body), ContentType: "application/json", Accept: accept };
}

function headersOf(answer) {
    const headers = { "content-type": answer.ContentType ?? "application/octet-stream" };
    if (answer.CustomAttributes) headers["x-amzn-sagemaker-custom-attributes"] = answer.CustomAttributes;
    return headers;
}
