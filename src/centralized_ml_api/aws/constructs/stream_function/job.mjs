// Runs one job: the call as it was sent, into an answer that is kept. Lambda runs this handler without anybody waiting for
// it, and never again where it fails: the model might do its work twice.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html

import { Answer } from "./answer.mjs";
import { fail, findCall } from "./calls.mjs";
import { Cancellation } from "./cancellation.mjs";
import { ANSWER_TOO_LARGE, RESPONSE_LIMIT_BYTES, isAnthropicPath } from "./errors.mjs";
import { JobStream } from "./job_stream.mjs";
import { store } from "./jobs.mjs";
import { loadModels } from "./models.mjs";

const FIRST_ERROR = 400;

export const handler = async ({ owner, id }, context) => {
    const job = await store.begin(owner, id);
    if (!job) return;
    const request = { ...job.request, body: job.body };
    await store.finish(owner, job, id, await run(request, context));
};

// Returns the answer to a request, `{head, bytes, isError}`.
async function run(request, context) {
    const { stream, answer } = begin(request);
    const cancellation = new Cancellation(Number(process.env.IDLE_SECONDS), context.getRemainingTimeInMillis());
    answer.onClose(() => cancellation.clientDisconnected()); // an answer that is too large closes its stream
    let failure = null;
    try {
        const call = await findCall(request, await loadModels());
        await call.run(answer, cancellation);
    } catch (cause) {
        failure = cause;
    } finally {
        cancellation.dispose();
    }
    if (stream.isTooLarge) return refuse(request, tooLarge());
    if (!failure) return kept(stream, false);
    const unsaid = await fail(failure, answer, cancellation).then(() => null, (error) => error);
    return unsaid ? refuse(request, unsaid) : kept(stream, true); // no place for an error in what was answered so far
}

function begin({ path, id }) {
    const stream = new JobStream();
    return { stream, answer: new Answer(stream, id, isAnthropicPath(path), JobStream.begin) };
}

async function refuse(request, error) {
    const { stream, answer } = begin(request);
    await answer.sendError(error);
    return kept(stream, true);
}

function kept({ head, bytes }, isBroken) {
    return { head, bytes, isError: isBroken || head.statusCode >= FIRST_ERROR };
}

function tooLarge() {
    return ANSWER_TOO_LARGE.withMessage("over_limit", { megabytes: RESPONSE_LIMIT_BYTES / 1024 / 1024 });
}
