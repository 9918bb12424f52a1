// Reads requests from the events of a Lambda proxy integration.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html

import jobs from "./jobs.json" with { type: "json" };

const OTHER_PATHS = "/{proxy+}"; // the resource of all paths that have none
const DEFAULT_CONTENT_TYPE = "application/json";
const PREFERS_ASYNC = new RegExp(`^(?:${jobs.prefers_async})$`);

// Returns the request. `refused` lists the entries that the caller's team may not call, `paused` has what its callers are
// told by entry that is paused, and without a name of all; `team` is that team where the function has to know it. The
// authorizer determined all that. `parameters` are those of the path, `query` those behind it, and `root` is what comes before
// it at the API's own address.
export function readRequest(lambdaEvent) {
    const { httpMethod, resource, headers, requestContext, body, isBase64Encoded } = lambdaEvent;
    const entries = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
    const lowerCased = Object.fromEntries(entries);
    return {
        method: httpMethod,
        path: pathOf(lambdaEvent),
        parameters: lambdaEvent.pathParameters ?? {},
        query: lambdaEvent.queryStringParameters ?? {},
        root: `/${requestContext.stage}`,
        hasResource: resource !== OTHER_PATHS,
        headers: { ...lowerCased, "content-type": lowerCased["content-type"] || DEFAULT_CONTENT_TYPE },
        prefersAsync: httpMethod === "POST" && prefersAsync(lambdaEvent.multiValueHeaders ?? {}),
        refused: JSON.parse(requestContext.authorizer?.refused ?? "[]"),
        paused: JSON.parse(requestContext.authorizer?.paused ?? "{}"),
        hasKey: Boolean(requestContext.authorizer),
        team: requestContext.authorizer?.team,
        body: Buffer.from(body ?? "", isBase64Encoded ? "base64" : "utf8"),
    };
}

// Returns the path without what a custom domain puts before it, and without slashes at its end.
export function pathOf({ resource, pathParameters }) {
    return resource === OTHER_PATHS ? `/${pathParameters.proxy}`.replace(/\/+$/, "") : resource;
}

// Returns whether the headers `Prefer`, of which there may be several, ask for an answer later, as `jobs.json` says.
function prefersAsync(headers) {
    const values = Object.entries(headers).flatMap(([name, all]) => (name.toLowerCase() === "prefer" ? all : []));
    return PREFERS_ASYNC.test(values.join(","));
}
