// Calls other functions of this deployment by Lambda's API.
//
// Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html

import { findServiceUrl, signHeaders } from "./aws_signing.mjs";
import { readAll, send } from "./https_call.mjs";

const ACCEPTED = 202;
const OK = 200;
const ANSWER_BYTES = 64 * 1024;

// Lets a function run later, once Lambda has a place for it; throws where nobody knows that it will.
export async function runLater(name, event, milliseconds) {
    const { response, text } = await invoke(name, event, "Event", milliseconds);
    if (response.statusCode !== ACCEPTED) throw new Error(`Lambda answered ${response.statusCode}: ${text}`);
}

// Returns what a function answers; throws where it fails.
export async function ask(name, event, milliseconds) {
    const { response, text } = await invoke(name, event, "RequestResponse", milliseconds);
    const hasFailed = response.statusCode !== OK || response.headers["x-amz-function-error"] !== undefined;
    if (hasFailed) throw new Error(`Lambda answered ${response.statusCode}: ${text}`);
    return JSON.parse(text);
}

async function invoke(name, event, type, milliseconds) {
    const region = process.env.AWS_REGION;
    const origin = findServiceUrl("lambda", region, "AWS_ENDPOINT_URL_LAMBDA");
    const url = new URL(`${origin}/2015-03-31/functions/${name}/invocations`);
    const body = JSON.stringify(event);
    const headers = {
        "content-length": String(Buffer.byteLength(body)),
        "content-type": "application/json",
        "x-amz-invocation-type": type,
    };
    const signal = AbortSignal.timeout(milliseconds);
    const cancellation = { signal, startIdleTimer() {}, stopIdleTimer() {} };
    const signed = signHeaders({ method: "POST", url, headers, body, service: "lambda", region });
    const response = await send(url, { headers: signed, body, signal });
    const tooLarge = new Error("the answer of Lambda is too large");
    const bytes = await readAll(response, cancellation, ANSWER_BYTES, tooLarge);
    return { response, text: bytes.toString("utf8") };
}
