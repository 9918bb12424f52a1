// Renders errors in the API's one shape, and maps SageMaker's errors to them, as API Gateway does on the paths
// without this function.
//
// The texts are those of the whole API: deploying the function puts `errors.json` beside this file,
// with the size limit of bodies in it.

import texts from "./errors.json" with { type: "json" };

import { FUNCTION_TIMEOUT, IDLE_TIMEOUT } from "./cancellation.mjs";

export class ApiError extends Error {
    constructor(status, type, code, message) {
        super(message);
        Object.assign(this, { status, type, code });
    }

    // Returns the same error with another message.
    saying(message) {
        return new ApiError(this.status, this.type, this.code, message);
    }

    // Returns the same error with one of its other messages, the placeholders filled in.
    withMessage(name, values = {}) {
        const text = texts.errors[this.code].messages[name];
        return this.saying(text.replaceAll(/\{(\w+)\}/g, (_, placeholder) => values[placeholder]));
    }

    // Returns the same error without the model's body, which would not fit into a stream.
    withoutModelBody() {
        return this.saying(this.message);
    }
}

function errorOf(code) {
    const { status, type, message } = texts.errors[code];
    return new ApiError(status, type, code, message);
}

export const ANTHROPIC_REQUEST_ID = texts.anthropic.request_id; // the header where Anthropic's SDKs look for the id

export const NOT_READY_REASONS = texts.not_ready; // what `/health` says of an entry, by its state

export const RETRY_AFTER_SECONDS = texts.retry_after_seconds; // where nobody knows better

export const LONGEST_WAIT_SECONDS = 60; // the longest pause that a client may wait out within a call

export const RESPONSE_LIMIT_BYTES = texts.response_limit_bytes; // the largest response that is held until it is complete

export const BODY_TOO_LARGE = errorOf("body_too_large").withMessage("over_limit", {
    megabytes: texts.body_limit_bytes / 1024 / 1024,
    bytes: texts.body_limit_bytes,
});
export const REFUSED_BY_SAGEMAKER = errorOf("refused_by_sagemaker");
export const REFUSED = errorOf("refused");
export const INVALID_BODY = errorOf("invalid_body");
export const MODEL_REFUSED = errorOf("model_refused");
export const MODEL_MISSING = errorOf("model_missing");
export const NOT_ALLOWED = errorOf("not_allowed");
const PAUSED = errorOf("paused");
export const UNAUTHORIZED = errorOf("unauthorized");
export const MODEL_NOT_FOUND = errorOf("model_not_found");
export const UNKNOWN_PATH = errorOf("unknown_path");
export const METHOD_NOT_ALLOWED = errorOf("method_not_allowed");
export const TOKENS_EXCEEDED = errorOf("tokens_exceeded");
export const BUDGET_EXCEEDED = errorOf("budget_exceeded");
export const TOO_MANY_REQUESTS = errorOf("too_many_requests");
export const API_FAILED = errorOf("api_failed");
export const ANSWER_TOO_LARGE = errorOf("answer_too_large");
export const PROVIDER_REFUSED_KEY = errorOf("provider_refused_key");
export const MODEL_FAILED = errorOf("model_failed");
const ENDPOINT_NOT_CALLED = MODEL_FAILED.withMessage("endpoint_not_called");
export const MODEL_NOT_READY = errorOf("model_not_ready");
export const JOB_NOT_FOUND = errorOf("job_not_found");
export const TOO_MANY_JOBS = errorOf("too_many_jobs");
export const JOB_INTERRUPTED = errorOf("job_interrupted");
export const MODEL_TOO_SLOW = errorOf("model_too_slow");
export const MODEL_WAKING = Object.assign(errorOf("model_waking"), {
    retryAfter: String(texts.waking_retry_after_seconds),
});

const FOR_NOW = [MODEL_NOT_READY, MODEL_WAKING, PAUSED].map(({ code }) => code);

// Returns whether a failure means that no model has got the call, and that a later one may be taken.
export function isRefusedForNow(failure) {
    const { code, modelBody } = explain(failure, null);
    return FOR_NOW.includes(code) && !modelBody && !failure.mayHaveWorked;
}

// Returns the error of calls to what organizers have paused, with their words, if there are any: nobody knows for how long.
export function pausedError(words) {
    const error = words ? PAUSED.withMessage("saying", { words }) : PAUSED.saying(PAUSED.message);
    return Object.assign(error, { retryAfter: String(LONGEST_WAIT_SECONDS), stops: true });
}

// Returns the headers of an error; `retryAfter` is null where waiting does not help, and undefined where nobody knows.
// Clients do not send a call again by themselves that `stops`.
export function headersOf(error) {
    const isOurs = [429, 503].includes(error.status) && !error.modelBody;
    const wait = error.retryAfter === undefined && isOurs ? String(RETRY_AFTER_SECONDS) : error.retryAfter;
    return {
        "content-type": "application/json",
        ...(wait && { "retry-after": wait }),
        ...(error.stops && { "x-should-retry": "false" }),
        ...(error.allow && { allow: error.allow }),
    };
}

const BELOW_ENTRY = /^\/[^/]+(?=\/v1\/)/; // what comes before `/v1` where the path names an entry

// Returns whether errors of a path have the shape of Anthropic's API, also below an entry.
export function isAnthropicPath(whole) {
    const { below } = texts.anthropic;
    const path = whole.replace(BELOW_ENTRY, "");
    return path === below || path.startsWith(`${below}/`);
}

export function renderError(error, requestId, isAnthropic = false) {
    if (isAnthropic) return renderAnthropicError(error, requestId);
    return error.modelBody ?? JSON.stringify(bodyOf(error, requestId));
}

function renderAnthropicError({ status, message, modelBody }, requestId) {
    if (/"type"\s*:\s*"error"/.test(modelBody ?? "")) return modelBody; // a server's own, in this shape already
    const { types, caller, server } = texts.anthropic;
    const type = types[status] ?? (status < 500 ? caller : server);
    return JSON.stringify({ type: "error", error: { type, message }, request_id: requestId });
}

export function bodyOf({ message, type, code }, requestId) {
    return { error: { message, type, code, request_id: requestId } };
}

// Logs one line for the operator: what went wrong, never what the caller sent.
export function logFailure(error, cause, requestId) {
    if (error.status < 500) return;
    const { status, code } = error;
    const isSafeToLog = !(cause instanceof ApiError) && cause.OriginalStatusCode === undefined;
    const why = isSafeToLog ? cause.message : undefined; // a model's message may repeat its input
    console.error(JSON.stringify({ request_id: requestId, status, code, cause: cause.name, why }));
}

// Returns the error that the caller gets for anything thrown; `reason` is why the call was cancelled, if it was.
export function explain(cause, reason) {
    if (reason === IDLE_TIMEOUT || reason === FUNCTION_TIMEOUT) return MODEL_TOO_SLOW;
    if (cause instanceof ApiError) return cause;
    if (cause.asApiError) return cause.asApiError;
    if (cause.name === "ModelStreamError" || cause.name === "InternalStreamFailure") {
        return cause.ErrorCode === "ModelInvocationTimeExceeded" ? MODEL_TOO_SLOW : MODEL_FAILED;
    }
    const status = cause.$metadata?.httpStatusCode;
    if (status >= 300) return fromSageMaker(cause, status);
    return cause.code ? ENDPOINT_NOT_CALLED : API_FAILED; // only connection errors have a system error code
}

// Maps InvokeEndpoint's errors by their status. Any other status is a fault of this deployment, such as a missing
// permission.
//
// Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
function fromSageMaker(cause, status) {
    const message = cause.message || "";
    switch (status) {
        case 400:
            return fromValidationError(message);
        case 413:
            return BODY_TOO_LARGE;
        case 424:
            return fromModelError(cause);
        case 429:
            return fromModelNotReady(message);
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

// A 400 is also a ThrottlingException, an endpoint that does not exist yet, or a model that sleeps or wakes.
function fromValidationError(message) {
    if (isThrottling(message)) return TOO_MANY_REQUESTS.saying(message);
    const { no_endpoint_start: start, no_endpoint: rest, no_capacity: asleep } = texts.sagemaker;
    if (message.startsWith(start) && message.includes(rest)) return MODEL_NOT_READY;
    if (message.includes(asleep)) return MODEL_WAKING;
    return message ? REFUSED_BY_SAGEMAKER.saying(message) : REFUSED_BY_SAGEMAKER;
}

function fromModelNotReady(message) {
    const error = isThrottling(message) ? TOO_MANY_REQUESTS : MODEL_NOT_READY;
    return message ? error.saying(message) : error;
}

function isThrottling(message) {
    return texts.sagemaker.throttled.some((mark) => message.includes(mark));
}

// Keeps the model's status and message. Without a status, the model was too slow or its container stopped.
function fromModelError(cause) {
    const status = cause.OriginalStatusCode ?? 0;
    const message = cause.OriginalMessage || cause.message || MODEL_FAILED.message;
    if (status < 400 || status > 599) {
        return (message.includes(texts.sagemaker.too_slow) ? MODEL_TOO_SLOW : MODEL_FAILED).saying(message);
    }
    const { type, code } = status < 500 ? MODEL_REFUSED : MODEL_FAILED;
    const error = new ApiError(status, type, code, message);
    return message.startsWith("{") ? Object.assign(error, { modelBody: message }) : error;
}
