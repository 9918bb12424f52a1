// Translates errors: what a server said within a stream, in the shape that the client reads.
//
// Sources: https://platform.openai.com/docs/guides/error-codes, https://platform.claude.com/docs/en/api/errors and
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors

const ANTHROPIC_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
};

const OPENAI_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
};

// Statuses of the errors that come within a stream, by what they are called there.
const STATUSES = {
    invalid_request_error: 400,
    authentication_error: 401,
    billing_error: 402,
    permission_error: 403,
    not_found_error: 404,
    request_too_large: 413,
    rate_limit_error: 429,
    rate_limit_exceeded: 429,
    overloaded_error: 529,
    timeout_error: 504,
    validationexception: 400,
    accessdeniedexception: 403,
    resourcenotfoundexception: 404,
    throttlingexception: 429,
    serviceunavailableexception: 503,
    modeltimeoutexception: 504,
    modelstreamerrorexception: 424,
};

// Returns the status of an error within a stream by its type or code; a number is a status itself.
export function statusOf(...kinds) {
    for (const kind of kinds) {
        const status = Number.isInteger(kind) ? kind : STATUSES[String(kind).toLowerCase()];
        if (status >= 400 && status <= 599) return status;
    }
    return 500;
}

export function writeOpenAiError({ status, message, code = null, param = null }) {
    const type = OPENAI_TYPES[status] ?? (status < 500 ? "invalid_request_error" : "server_error");
    return { error: { message, type, param, code } };
}

export function writeAnthropicError({ status, message }) {
    const type = ANTHROPIC_TYPES[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
    return { type: "error", error: { type, message } };
}
