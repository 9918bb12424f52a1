// Answers the calls of models under /v1 with the entry that the body names, whatever its family or provider.
//
// Source: https://platform.openai.com/docs/api-reference

import apis from "./apis.json" with { type: "json" };

import { asCallersMistake } from "./callers_mistakes.mjs";
import { answerChat } from "./chat.mjs";
import { answerEmbeddings } from "./embeddings.mjs";
import {
    BUDGET_EXCEEDED,
    INVALID_BODY,
    MODEL_MISSING,
    MODEL_NOT_FOUND,
    NOT_ALLOWED,
    TOKENS_EXCEEDED,
    explain,
    isRefusedForNow,
    logFailure,
    pausedError,
} from "./errors.mjs";
import { measureBytesExpense, measureExpense, spend } from "./expense.mjs";
import { FAMILIES } from "./families.mjs";
import { readBody } from "./form_body.mjs";
import { addressOf } from "./invoke.mjs";
import { answerMedia } from "./media.mjs";
import { answerProvider } from "./provider.mjs";
import { findServerApi } from "./translated.mjs";
import { askInTurn } from "./translator/fallback.mjs";

const HANDLERS = { chat: answerChat, embeddings: answerEmbeddings, media: answerMedia };
const OWN_LIMITS = [TOKENS_EXCEEDED, BUDGET_EXCEEDED].map(({ code }) => code); // of the caller's team, not of a model
const EVERYTHING = ""; // where the name of an entry could be
const API_OF_TASK = { chat: "openai-chat", embeddings: "openai-embeddings" };

// Returns what a call of one of the APIs in `apis.json` asks for, as `findCall` does.
export async function findOpenAiCall(api, request, models) {
    const body = await readBody(api, request);
    const { model } = body.document;
    const served = [...models].filter(([, entry]) => serves(entry, api, request.path));
    const listed = { models: served.map(([name]) => name).join(", ") || "none" };
    if (typeof model !== "string") throw MODEL_MISSING.withMessage(body.isForm ? "form" : "listing", listed);
    const found = served.find(([name, { aliases }]) => name === model || aliases?.includes(model));
    if (!found) throw MODEL_NOT_FOUND.withMessage("listing", listed);
    const [name] = found;
    if (request.refused.includes(name)) throw NOT_ALLOWED;
    const { path } = request;
    const run = (answer, cancellation) => answerEntry({ api, path, name, request, models, body, answer, cancellation });
    return { name, run };
}

// Answers with an entry, or with the next one of its `fallback`, as long as no model may have worked and nothing has
// reached the caller: see `translator/fallback.mjs`. A silent model is waited for.
export async function answerEntry({ api, name, models, ...call }) {
    const { request, answer, cancellation } = call;
    refusePaused(name, request);
    const { fallback = [] } = models.get(name);
    const isOpen = (other) => !request.refused.includes(other) && findPause(other, request) === undefined;
    const mayBeAsked = (other) => isOpen(other) && serves(models.get(other), api, call.path);
    const failureOf = (cause) => {
        const error = explain(cause, cancellation.reason);
        const isUntold = !answer.headersSent && !answer.isPaid && !cause.mayHaveWorked && !cancellation.reason;
        const isFree = isUntold && !OWN_LIMITS.includes(error.code);
        const isUntaken = error.code === INVALID_BODY.code;
        return { cause, error, status: error.status, isFree, isUntaken, isForNow: isRefusedForNow(cause) };
    };
    const attempt = (candidate) => {
        if (fallback.length) answer.servedBy = candidate;
        const asked = ask({ ...call, name: candidate, entry: models.get(candidate) });
        return asked.then(() => null, failureOf);
    };
    const names = [name, ...fallback.filter(mayBeAsked)];
    const told = await askInTurn(names, attempt, ({ error, cause }) => logFailure(error, cause, answer.requestId));
    if (told === null) return;
    answer.wasTaken = !told.isForNow;
    if (fallback.length) answer.servedBy = told.name;
    throw told.cause;
}

// Throws the error of an entry that organizers have paused for its caller.
export function refusePaused(name, request) {
    const words = findPause(name, request);
    if (words !== undefined) throw pausedError(words);
}

// Returns what callers of an entry are told of its pause, maybe nothing; undefined where there is none.
function findPause(name, { paused = {} }) {
    if (Object.hasOwn(paused, EVERYTHING)) return paused[EVERYTHING];
    return Object.hasOwn(paused, name) ? paused[name] : undefined;
}

async function ask({ path, name, entry, request, body, answer, cancellation }) {
    const measure = apis.media.includes(apis.by_path[path]) ? measureBytesExpense : measureExpense;
    const expense = measure({ path, name, entry, request, body, answer });
    if (entry.provider) {
        return spend(expense, () => answerProvider({ path, name, entry, request, body, expense, answer, cancellation }));
    }
    const { speaks, max_output_tokens: most } = entry;
    const address = addressOf(entry);
    body.document.model = name; // which answers name
    const family = FAMILIES[speaks];
    const handle = HANDLERS[family.task];
    try {
        const { accept } = request.headers;
        await spend(expense, () => handle({ body, path, accept, address, family, most, expense, answer, cancellation }));
    } catch (cause) {
        throw asCallersMistake(cause);
    }
}

// Returns whether an entry has a path: by translation, the first path of an API alone.
function serves({ provider, speaks }, api, path) {
    if (!provider) return (API_OF_TASK[FAMILIES[speaks]?.task] ?? speaks) === api;
    const server = findServerApi(provider, api);
    return server === api || (server !== undefined && path === apis.first_paths[api]);
}
