// Handles one request from API Gateway with one streamed response, however it ends.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
// and https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html

import apis from "./apis.json" with { type: "json" };

import { Answer } from "./answer.mjs";
import { CLIENT_DISCONNECTED, Cancellation } from "./cancellation.mjs";
import { explain, isAnthropicPath, logFailure } from "./errors.mjs";
import { measureBytesExpense, spend } from "./expense.mjs";
import { answerHealth } from "./health.mjs";
import { passThrough } from "./invoke.mjs";
import { readJsonObject } from "./json_body.mjs";
import { loadModels } from "./models.mjs";
import { answerEntry, answerOpenAi, refusePaused } from "./openai.mjs";
import { answerOtherPath } from "./other_paths.mjs";
import { answerUsage } from "./team_usage.mjs";

const HEALTH_PATH = "/health";
const USAGE_PATH = "/v1/usage";
const OTHER_PATHS = "/{proxy+}"; // the resource of all paths that have none
const DEFAULT_CONTENT_TYPE = "application/json";

export const handler = awslambda.streamifyResponse(async (lambdaEvent, stream, context) => {
    const { requestContext } = lambdaEvent;
    const answer = new Answer(stream, requestContext.requestId, isAnthropicPath(pathOf(lambdaEvent)));
    const idleSeconds = Number(process.env.IDLE_SECONDS);
    const cancellation = new Cancellation(idleSeconds, context.getRemainingTimeInMillis());
    answer.onClose(() => cancellation.clientDisconnected());
    try {
        await respond(readRequest(lambdaEvent), answer, cancellation);
    } catch (cause) {
        await fail(cause, answer, cancellation);
    } finally {
        cancellation.dispose();
    }
});

// Reads the request from the event of a Lambda proxy integration. `refused` lists the entries that the caller's team
// may not call, `paused` has what its callers are told by entry that is paused, and without a name of all; `team` is that
// team where its tokens or dollars are counted. The authorizer determined all that.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
function readRequest(lambdaEvent) {
    const { httpMethod, resource, headers, requestContext, body, isBase64Encoded } = lambdaEvent;
    const entries = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
    const lowerCased = Object.fromEntries(entries);
    return {
        method: httpMethod,
        path: pathOf(lambdaEvent),
        hasResource: resource !== OTHER_PATHS,
        headers: { ...lowerCased, "content-type": lowerCased["content-type"] || DEFAULT_CONTENT_TYPE },
        refused: JSON.parse(requestContext.authorizer?.refused ?? "[]"),
        paused: JSON.parse(requestContext.authorizer?.paused ?? "{}"),
        team: requestContext.authorizer?.team,
        body: Buffer.from(body ?? "", isBase64Encoded ? "base64" : "utf8"),
    };
}

// Returns the path without what a custom domain puts before it, and without slashes at its end.
function pathOf({ resource, pathParameters }) {
    return resource === OTHER_PATHS ? `/${pathParameters.proxy}`.replace(/\/+$/, "") : resource;
}

async function respond(request, answer, cancellation) {
    if (request.path === USAGE_PATH) return answerUsage(request, answer);
    const models = await loadModels();
    if (!request.hasResource) return answerOtherPath(request, models, answer, cancellation);
    if (request.path === HEALTH_PATH) return answerHealth(request, models, answer, cancellation);
    const api = apis.by_path[request.path];
    if (api) return answerOpenAi(api, request, models, answer, cancellation);
    const name = request.path.slice(1);
    const entry = models.get(name);
    if (!entry.provider) {
        refusePaused(name, request);
        const expense = measureBytesExpense({ name, request, answer });
        return spend(expense, () => passThrough({ request, model: entry, expense, answer, cancellation }));
    }
    const [first] = entry.provider.apis;
    const body = readJsonObject(request.body);
    const path = apis.first_paths[first];
    return answerEntry({ api: first, path, name, request, models, body, answer, cancellation });
}

async function fail(cause, answer, cancellation) {
    if (cancellation.reason === CLIENT_DISCONNECTED) return; // nobody is left to tell
    const error = explain(cause, cancellation.reason);
    logFailure(error, cause, answer.requestId);
    if (answer.headersSent) await answer.endWithError(error);
    else await answer.sendError(error);
}
