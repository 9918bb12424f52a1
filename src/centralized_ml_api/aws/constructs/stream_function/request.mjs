// The event of a Lambda proxy integration as a request.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html

const DEFAULT_CONTENT_TYPE = "application/json";

export function readRequest(event) {
    const headers = lowerCased(event.headers ?? {});
    return {
        method: event.httpMethod,
        path: event.resource, // as the API has it, whatever a custom domain puts before it
        headers: { ...headers, "content-type": headers["content-type"] || DEFAULT_CONTENT_TYPE },
        refused: readRefused(event.requestContext.authorizer),
        body: Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8"),
    };
}

// The entries that the caller's team may not call, as the function that gives keys on says it.
function readRefused(authorizer) {
    return JSON.parse(authorizer?.refused ?? "[]");
}

function lowerCased(headers) {
    return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
