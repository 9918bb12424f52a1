// What API Gateway calls: one request in, one streamed answer out. Every way that it can end is here.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
// and https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html

import { Answer } from "./answer.mjs";
import { explain, logFailure } from "./errors.mjs";
import { answerHealth } from "./health.mjs";
import { loadModels } from "./models.mjs";
import { answerOpenAi } from "./openai.mjs";
import { passOn } from "./pass.mjs";
import { readRequest } from "./request.mjs";
import { LEFT, Watch } from "./watch.mjs";

const HEALTH_PATH = "/health";
const OPENAI_TASKS = { "/v1/chat/completions": "chat", "/v1/embeddings": "embeddings" };

export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
    const answer = new Answer(stream, event.requestContext.requestId);
    const watch = new Watch(Number(process.env.IDLE_SECONDS), context.getRemainingTimeInMillis());
    answer.onClose(() => watch.leave());
    try {
        await respond(readRequest(event), answer, watch);
    } catch (cause) {
        await fail(cause, answer, watch);
    } finally {
        watch.stop();
    }
});

async function respond(request, answer, watch) {
    const models = await loadModels();
    if (request.path === HEALTH_PATH) return answerHealth(request, models, answer);
    const task = OPENAI_TASKS[request.path];
    if (task) return answerOpenAi(task, request, models, answer, watch);
    return passOn(request, models.get(request.path.slice(1)), answer, watch);
}

async function fail(cause, answer, watch) {
    if (watch.reason === LEFT) return; // nobody is there to be told
    const error = explain(cause, watch.reason);
    logFailure(error, cause, answer.requestId);
    if (answer.begun) await answer.breakOff(error);
    else await answer.sendError(error);
}
