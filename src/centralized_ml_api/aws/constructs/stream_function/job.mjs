// Runs one job: the call as it was sent, into an answer that is kept. Lambda runs this handler without anybody waiting for
// it, and never again where it fails: the model might do its work twice. One that surely has not got the call, because it
// or its caller is paused, or because it sleeps, wakes or is being replaced, is called again until it takes it, as long as
// the function may run. Before each call, the function that admits callers says what the team may call by now.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html

import { setTimeout as sleep } from "node:timers/promises";

import { Answer } from "./answer.mjs";
import { fail, findCall } from "./calls.mjs";
import { Cancellation } from "./cancellation.mjs";
import {
    ANSWER_TOO_LARGE,
    MODEL_NOT_READY,
    RESPONSE_LIMIT_BYTES,
    UNAUTHORIZED,
    isAnthropicPath,
    isRefusedForNow,
} from "./errors.mjs";
import { RUNNING } from "./job_store.mjs";
import { JobStream } from "./job_stream.mjs";
import { store } from "./jobs.mjs";
import { ask } from "./lambda_call.mjs";
import { loadModels } from "./models.mjs";

const FIRST_ERROR = 400;
const ADMIT_MILLISECONDS = 15_000; // longer than the function that is asked may take
const AGAIN_MILLISECONDS = Number(process.env.AGAIN_SECONDS) * 1000;
const LAST_CALL_MILLISECONDS = 60_000; // what a call that is made again has for its answer, at least

export const handler = async ({ owner, id }, context) => {
    const job = await store.begin(owner, id);
    if (!job) return;
    const request = { ...job.request, body: job.body };
    const isWanted = async () => (await store.find(owner, id))?.job_status === RUNNING;
    await store.finish(owner, job, id, await run(request, context, isWanted));
};

// Returns the answer to a request, that of the last call; `isWanted` tells whether to make another one.
async function run(request, context, isWanted) {
    for (;;) {
        const answer = await call(request, context);
        const isLast = context.getRemainingTimeInMillis() < AGAIN_MILLISECONDS + LAST_CALL_MILLISECONDS;
        if (!answer.isForNow || isLast) return answer;
        await sleep(AGAIN_MILLISECONDS);
        if (!(await isWanted())) return answer;
    }
}

// Returns the answer to one call, `{head, bytes, isError, isForNow}`.
async function call(request, context) {
    const { stream, answer } = begin(request);
    const cancellation = new Cancellation(Number(process.env.IDLE_SECONDS), context.getRemainingTimeInMillis());
    answer.onClose(() => cancellation.clientDisconnected()); // an answer that is too large closes its stream
    let failure = null;
    try {
        const found = await findCall(await admit(request), await loadModels());
        await found.run(answer, cancellation);
    } catch (cause) {
        failure = cause;
    } finally {
        cancellation.dispose();
    }
    if (stream.isTooLarge) return refuse(request, tooLarge());
    if (!failure) return kept(stream, false);
    const isForNow = !stream.head && !cancellation.reason && !answer.wasTaken && isRefusedForNow(failure);
    const unsaid = await fail(failure, answer, cancellation).then(() => null, (error) => error);
    if (unsaid) return refuse(request, unsaid); // no place for an error in what was answered so far
    return { ...kept(stream, true), isForNow };
}

// Returns a request with what its team is told of pauses by now. Throws the error of a team that no longer has a key; the
// call is made later where nobody can say.
async function admit(request) {
    if (!request.hasKey) return request;
    let said;
    try {
        said = await ask(process.env.KEY_FUNCTION, { job_of: request.team }, ADMIT_MILLISECONDS);
    } catch (cause) {
        throw Object.assign(cause, { asApiError: MODEL_NOT_READY, mayHaveWorked: false });
    }
    if (!said.has_key) throw UNAUTHORIZED;
    return { ...request, paused: said.paused };
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
