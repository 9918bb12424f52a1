// Calls SageMaker endpoints. Calls are never retried: the model would do its work twice.

import {
    InvokeEndpointCommand,
    InvokeEndpointWithResponseStreamCommand,
    SageMakerRuntimeClient,
} from "@aws-sdk/client-sagemaker-runtime";

import { MODEL_FAILED } from "./errors.mjs";
import { awaitFirst, readPayload } from "./framing.mjs";

const client = new SageMakerRuntimeClient({ maxAttempts: 1 });

// Maps SageMaker's request headers to parameters of the SDK.
// Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointWithResponseStream.html
const PARAMETERS = {
    "x-amzn-sagemaker-custom-attributes": "CustomAttributes",
    "x-amzn-sagemaker-inference-component": "InferenceComponentName",
    "x-amzn-sagemaker-inference-id": "InferenceId",
    "x-amzn-sagemaker-session-id": "SessionId",
    "x-amzn-sagemaker-target-container-hostname": "TargetContainerHostname",
    "x-amzn-sagemaker-target-variant": "TargetVariant",
};

// Returns where an entry runs, as parameters of the SDK: its endpoint, and the inference component of one that may sleep.
export function addressOf({ endpoint, component }) {
    return { EndpointName: endpoint, ...(component && { InferenceComponentName: component }) };
}

// Answers `POST /{name}` of an entry that streams: the bytes pass unchanged, both ways.
export async function passThrough({ request, model, expense, answer, cancellation }) {
    const parameters = requestParameters(request, model.headers);
    await expense.reserve();
    const { headers, chunks } = await invokeStreaming(addressOf(model), parameters, cancellation);
    answer.writeHead(200, headers);
    await answer.pipe(chunks);
}

// Returns what reaches the model: the body, `Content-Type`, `Accept` and the configured headers.
function requestParameters(request, configured) {
    const parameters = { Body: request.body, ContentType: request.headers["content-type"] };
    if (request.headers.accept) parameters.Accept = request.headers.accept;
    for (const name of configured.map((header) => header.toLowerCase())) {
        const value = request.headers[name];
        if (PARAMETERS[name] && value) parameters[PARAMETERS[name]] = value;
    }
    return parameters;
}

// Sends a JSON text. Returns the complete response: `headers` for the client, and `bytes`.
export function invoke(address, text, cancellation) {
    return invokeWith(address, jsonParameters(text, "application/json"), cancellation);
}

// The same with any parameters of the SDK, the body among them.
export async function invokeWith(address, parameters, cancellation) {
    cancellation.startIdleTimer();
    const command = new InvokeEndpointCommand({ ...parameters, ...address });
    const response = await client.send(command, { abortSignal: cancellation.signal });
    cancellation.stopIdleTimer();
    return { headers: headersOf(response), bytes: response.Body };
}

// Sends a JSON text. Returns the response, a stream of server-sent events.
export function invokeEvents(address, text, cancellation) {
    return invokeStreaming(address, jsonParameters(text, "text/event-stream"), cancellation);
}

// Returns the response once its first chunk is there: `headers` for the client, and `chunks`.
async function invokeStreaming(address, parameters, cancellation) {
    cancellation.startIdleTimer();
    const command = new InvokeEndpointWithResponseStreamCommand({ ...parameters, ...address });
    const response = await client.send(command, { abortSignal: cancellation.signal });
    return { headers: headersOf(response), chunks: await awaitFirst(readPayload(response.Body, cancellation)) };
}

// Parses JSON from the model.
export function readModelJson(bytes) {
    try {
        return JSON.parse(typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8"));
    } catch {
        throw MODEL_FAILED.withMessage("not_json");
    }
}

function jsonParameters(text, accept) {
    return { Body: text, ContentType: "application/json", Accept: accept };
}

function headersOf(response) {
    const headers = { "content-type": response.ContentType ?? "application/octet-stream" };
    if (response.CustomAttributes) headers["x-amzn-sagemaker-custom-attributes"] = response.CustomAttributes;
    return headers;
}
