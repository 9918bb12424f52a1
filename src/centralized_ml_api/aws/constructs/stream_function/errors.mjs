// The one error shape, and which error stands for what SageMaker says, as on the paths straight to SageMaker.
//
// The texts are those of the whole API: `errors.json` is put beside this file when the function is deployed.

import written from "./errors.json" with { type: "json" };

import { FUNCTION_TIMEOUT, IDLE_TIMEOUT } from "./cancellation.mjs";

const BODY_LIMIT_BYTES = 6 * 1024 * 1024;

export class ApiError extends Error {
    constructor(status, type, code, message) {
        super(message);
        Object.assign(this, { status, type, code });
    }

    saying(message) {
        return new ApiError(this.status, this.type, this.code, message);
    }

    // The same error with one of its other messages, the placeholders filled in.
    withMessage(name, values = {}) {
        const text = written.errors[this.code].messages[name];
        return this.saying(text.replaceAll(/\{(\w+)\}/g, (_, placeholder) => values[placeholder]));
    }

    // The same error for places where the model's own body cannot stand alone.
    withoutOwnBody() {
        return this.saying(this.message);
    }
}

function errorOf(code) {
    const { status, type, message } = written.errors[code];
    return new ApiError(status, type, code, message);
}

export const BODY_TOO_LARGE = errorOf("body_too_large").withMessage("over_limit", {
    megabytes: BODY_LIMIT_BYTES / 1024 / 1024,
    bytes: BODY_LIMIT_BYTES,
});
export const REFUSED_BY_SAGEMAKER = errorOf("refused_by_sagemaker");
export const MODEL_REFUSED = errorOf("model_refused");
export const MODEL_MISSING = errorOf("model_missing");
export const NOT_ALLOWED = errorOf("not_allowed");
export const MODEL_NOT_FOUND = errorOf("model_not_found");
export const TOO_MANY_REQUESTS = errorOf("too_many_requests");
export const API_FAILED = errorOf("api_failed");
export const MODEL_FAILED = errorOf("model_failed");
const ENDPOINT_NOT_CALLED = MODEL_FAILED.withMessage("endpoint_not_called");
export const MODEL_NOT_READY = errorOf("model_not_ready");
export const MODEL_TOO_SLOW = errorOf("model_too_slow");

// The request is well-formed and asks for what this model cannot do.
export function unsupported(message) {
    return MODEL_REFUSED.saying(message);
}

export function headersOf(error) {
    const wait = [429, 503].includes(error.status) && !error.ownBody;
    const retryAfter = wait ? { "retry-after": String(written.retry_after_seconds) } : {};
    return { "content-type": "application/json", ...retryAfter };
}

export function renderError(error, requestId) {
    return error.ownBody ?? JSON.stringify(bodyOf(error, requestId));
}

export function bodyOf({ message, type, code }, requestId) {
    return { error: { message, type, code, request_id: requestId } };
}

// Writes one line for the operator: what went wrong, never what was sent.
export function logFailure(error, cause, requestId) {
    if (error.status < 500) return;
    const { status, code } = error;
    const isOurs = !(cause instanceof ApiError) && cause.OriginalStatusCode === undefined;
    const why = isOurs ? cause.message : undefined; // a model's message may repeat what it was sent
    console.error(JSON.stringify({ request_id: requestId, status, code, cause: cause.name, why }));
}

// The error that a caller gets for anything that was thrown; `reason` is why the call was cancelled.
export function explain(cause, reason) {
    if (reason === IDLE_TIMEOUT || reason === FUNCTION_TIMEOUT) return MODEL_TOO_SLOW;
    if (cause instanceof ApiError) return cause;
    if (cause.name === "ModelStreamError" || cause.name === "InternalStreamFailure") {
        return cause.ErrorCode === "ModelInvocationTimeExceeded" ? MODEL_TOO_SLOW : MODEL_FAILED;
    }
    const status = cause.$metadata?.httpStatusCode;
    if (status >= 300) return ofSageMaker(cause, status);
    return cause.code ? ENDPOINT_NOT_CALLED : API_FAILED; // only errors of a connection have a system's code
}

// By the status of InvokeEndpoint's errors; any other status is our own doing, such as a missing permission.
//
// Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
function ofSageMaker(cause, status) {
    const message = cause.message || "";
    switch (status) {
        case 400:
            return ofValidationError(message);
        case 413:
            return BODY_TOO_LARGE;
        case 424:
            return ofModelError(cause);
        case 429:
            return ofModelNotReady(message);
        case 500:
        case 530:
            return API_FAILED;
        case 503:
            return MODEL_NOT_READY;
        case 504:
            return MODEL_TOO_SLOW;
        default:
            return ENDPOINT_NOT_CALLED;
    }
}

// A ThrottlingException is a 400 too, and so is an endpoint that does not exist yet.
function ofValidationError(message) {
    if (isThrottling(message)) return TOO_MANY_REQUESTS.saying(message);
    if (message.startsWith("Endpoint ") && message.includes(" not found")) return MODEL_NOT_READY;
    return message ? REFUSED_BY_SAGEMAKER.saying(message) : REFUSED_BY_SAGEMAKER;
}

function ofModelNotReady(message) {
    const error = isThrottling(message) ? TOO_MANY_REQUESTS : MODEL_NOT_READY;
    return message ? error.saying(message) : error;
}

function isThrottling(message) {
    return message.includes("Rate exceeded") || message.includes("hrottl");
}

// The model's own status and message; one that gave no status took too long, or its container stopped.
function ofModelError(cause) {
    const status = cause.OriginalStatusCode ?? 0;
    const message = cause.OriginalMessage || cause.message || MODEL_FAILED.message;
    if (status < 400 || status > 599) {
        return (message.includes("timed out") ? MODEL_TOO_SLOW : MODEL_FAILED).saying(message);
    }
    const { type, code } = status < 500 ? MODEL_REFUSED : MODEL_FAILED;
    const error = new ApiError(status, type, code, message);
    return message.startsWith("{") ? Object.assign(error, { ownBody: message }) : error;
}
