// Handles one request from API Gateway with one streamed response, however it ends.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
// and https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html

import { Answer } from "./answer.mjs";
import { fail, findCall } from "./calls.mjs";
import { Cancellation } from "./cancellation.mjs";
import { isAnthropicPath } from "./errors.mjs";
import { answerHealth } from "./health.mjs";
import { answerJob, answerJobs, hasJobs, startJob } from "./jobs.mjs";
import { loadModels } from "./models.mjs";
import { pathOf, readRequest } from "./requests.mjs";
import { answerUsage } from "./team_usage.mjs";

const OWN_PATHS = { "/v1/usage": answerUsage, "/v1/jobs": answerJobs, "/v1/jobs/{id}": answerJob };
const HEALTH_PATH = "/health";

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

async function respond(request, answer, cancellation) {
    const answerOwn = request.hasResource && OWN_PATHS[request.path];
    if (answerOwn) return answerOwn(request, answer);
    const models = await loadModels();
    if (request.hasResource && request.path === HEALTH_PATH) return answerHealth(request, models, answer, cancellation);
    const call = await findCall(request, models);
    if (hasJobs && request.prefersAsync) return startJob(request, call.name, models, answer);
    return call.run(answer, cancellation);
}
