// Finds what a request asks of which model, and reports what ends a call.

import apis from "./apis.json" with { type: "json" };

import { CLIENT_DISCONNECTED } from "./cancellation.mjs";
import { explain, logFailure } from "./errors.mjs";
import { measureBytesExpense, spend } from "./expense.mjs";
import { passThrough } from "./invoke.mjs";
import { readJsonObject } from "./json_body.mjs";
import { answerEntry, findOpenAiCall, refusePaused } from "./openai.mjs";
import { findOtherCall } from "./other_paths.mjs";

// Returns `{name, run}`: the entry that is called, and what answers the call. Throws the error of a request that asks for
// nothing that there is.
export async function findCall(request, models) {
    if (!request.hasResource) return findOtherCall(request, models);
    const api = apis.by_path[request.path];
    if (api) return findOpenAiCall(api, request, models);
    const name = request.path.slice(1);
    const entry = models.get(name);
    if (entry.provider) return findProviderCall(name, entry, request, models);
    const run = (answer, cancellation) => {
        refusePaused(name, request);
        const expense = measureBytesExpense({ name, request, answer });
        return spend(expense, () => passThrough({ request, model: entry, expense, answer, cancellation }));
    };
    return { name, run };
}

function findProviderCall(name, entry, request, models) {
    const [api] = entry.provider.apis;
    const path = apis.first_paths[api];
    const body = readJsonObject(request.body);
    const run = (answer, cancellation) => answerEntry({ api, path, name, request, models, body, answer, cancellation });
    return { name, run };
}

// Tells the caller what has ended a call, and the log. Throws the error for which the answer has no place any more.
export async function fail(cause, answer, cancellation) {
    if (cancellation.reason === CLIENT_DISCONNECTED) return; // nobody is left to tell
    const error = explain(cause, cancellation.reason);
    logFailure(error, cause, answer.requestId);
    if (answer.headersSent) await answer.endWithError(error);
    else await answer.sendError(error);
}
