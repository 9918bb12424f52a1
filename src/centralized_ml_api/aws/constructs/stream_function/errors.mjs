// The one error shape, and which error stands for what SageMaker says. The direct paths say the same.

import { IDLE, OVER } from "./watch.mjs";

const RETRY_AFTER_SECONDS = "2";

export class ApiError extends Error {
    constructor(status, type, code, message) {
        super(message);
        Object.assign(this, { status, type, code });
    }

    saying(message) {
        return new ApiError(this.status, this.type, this.code, message);
    }

    // The same for places where the model's own body cannot stand alone.
    withoutOwnBody() {
        return this.saying(this.message);
    }
}

export const BODY_TOO_LARGE = new ApiError(
    413,
    "invalid_request_error",
    "body_too_large",
    "The request body is larger than 6 MB, the limit of this API (6291456 bytes).",
);
export const REFUSED_INPUT = new ApiError(
    400,
    "invalid_request_error",
    "refused_by_sagemaker",
    "SageMaker refused the request.",
);
export const MODEL_REFUSED = new ApiError(
    400,
    "invalid_request_error",
    "model_refused",
    "The model refused the input.",
);
export const MODEL_MISSING = new ApiError(
    400,
    "invalid_request_error",
    "model_missing",
    'The body must be a JSON object that names one of this API\'s models as "model".',
);
export const NOT_ALLOWED = new ApiError(
    403,
    "permission_error",
    "not_allowed",
    "This key may not call this model; ask whoever runs this API which models your team may call.",
);
export const UNKNOWN_MODEL = new ApiError(
    404,
    "not_found_error",
    "model_not_found",
    "There is no such model at this path.",
);
export const TOO_MANY_REQUESTS = new ApiError(
    429,
    "rate_limit_error",
    "too_many_requests",
    "Too many requests; try again after a pause.",
);
export const API_FAILED = new ApiError(500, "api_error", "api_failed", "The API failed.");
export const MODEL_FAILED = new ApiError(
    502,
    "model_error",
    "model_failed",
    "The model server closed the connection before its answer was complete, or answered something that is not HTTP.",
);
const NOT_CALLED = MODEL_FAILED.saying(
    "The model's endpoint could not be called; its operator finds the reason in the logs.",
);
export const MODEL_NOT_READY = new ApiError(
    503,
    "unavailable_error",
    "model_not_ready",
    "The model is starting or being restarted; try again shortly.",
);
export const MODEL_TOO_SLOW = new ApiError(
    504,
    "timeout_error",
    "model_too_slow",
    "The model did not answer in time.",
);

// The request is well-formed and asks for what this model cannot do.
export function unsupported(message) {
    return MODEL_REFUSED.saying(message);
}

export function headersOf(error) {
    const retry = [429, 503].includes(error.status) && !error.ownBody;
    return { "content-type": "application/json", ...(retry ? { "retry-after": RETRY_AFTER_SECONDS } : {}) };
}

export function renderError(error, requestId) {
    return error.ownBody ?? JSON.stringify(errorOf(error, requestId));
}

export function errorOf({ message, type, code }, requestId) {
    return { error: { message, type, code, request_id: requestId } };
}

// One line for the operator: what went wrong, never what was sent.
export function logFailure(error, cause, requestId) {
    if (error.status < 500) return;
    const { status, code } = error;
    const isOurs = !(cause instanceof ApiError) && cause.OriginalStatusCode === undefined;
    const why = isOurs ? cause.message : undefined; // a model's words may repeat what it was sent
    console.error(JSON.stringify({ request_id: requestId, status, code, cause: cause.name, why }));
}

const BROKEN_STREAM = ["InternalStreamFailure", "ModelStreamError"];

// What a caller is told about anything that was thrown.
export function explain(cause, reason) {
    if (reason === IDLE || reason === OVER) return MODEL_TOO_SLOW;
    if (cause instanceof ApiError) return cause;
    if (BROKEN_STREAM.includes(cause.name)) return brokenStream(cause);
    const status = cause.$metadata?.httpStatusCode;
    return status === undefined || status < 300 ? ofConnection(cause) : ofSageMaker(cause, status);
}

function brokenStream(cause) {
    return cause.ErrorCode === "ModelInvocationTimeExceeded" ? MODEL_TOO_SLOW : MODEL_FAILED;
}

// Only errors of a connection have a code of the system.
function ofConnection(cause) {
    return cause.code ? NOT_CALLED : API_FAILED;
}

function ofSageMaker(cause, status) {
    const message = cause.message || "";
    if (status === 400) return ofRefusal(message);
    if (status === 413) return BODY_TOO_LARGE;
    if (status === 424) return ofModel(cause);
    if (status === 429) return ofWait(message);
    if (status === 500 || status === 530) return API_FAILED;
    return { 503: MODEL_NOT_READY, 504: MODEL_TOO_SLOW }[status] ?? NOT_CALLED;
}

// Throttling is a 400 too, and so is an endpoint that does not exist yet.
function ofRefusal(message) {
    if (isThrottling(message)) return TOO_MANY_REQUESTS.saying(message);
    if (message.startsWith("Endpoint ") && message.includes(" not found")) return MODEL_NOT_READY;
    return message ? REFUSED_INPUT.saying(message) : REFUSED_INPUT;
}

function ofWait(message) {
    const error = isThrottling(message) ? TOO_MANY_REQUESTS : MODEL_NOT_READY;
    return message ? error.saying(message) : error;
}

function isThrottling(message) {
    return message.includes("Rate exceeded") || message.includes("hrottl");
}

// The model's own status and words; one that gave no status was too slow, or its container ended.
function ofModel(cause) {
    const status = cause.OriginalStatusCode ?? 0;
    const message = cause.OriginalMessage || cause.message || MODEL_FAILED.message;
    if (status < 400 || status > 599) {
        return (message.includes("timed out") ? MODEL_TOO_SLOW : MODEL_FAILED).saying(message);
    }
    const words = status < 500 ? MODEL_REFUSED : MODEL_FAILED;
    const error = new ApiError(status, words.type, words.code, message);
    return message.startsWith("{") ? Object.assign(error, { ownBody: message }) : error;
}
