// Answers calls whose callers do not wait: a call with `Prefer: respond-async` becomes a job, which another function runs,
// and whose answer is there to be asked for.
//
// Source: RFC 7240, section 4.1

import { randomBytes } from "node:crypto";

import apis from "./apis.json" with { type: "json" };

import { callDynamoDb } from "./dynamodb.mjs";
import { JOB_INTERRUPTED, JOB_NOT_FOUND, MODEL_NOT_READY, REFUSED, TOO_MANY_JOBS } from "./errors.mjs";
import { CANCELLED, FAILED, JobStore, QUEUED, RUNNING, TooManyJobs, idOf } from "./job_store.mjs";
import { runLater } from "./lambda_call.mjs";
import { refusePaused } from "./openai.mjs";
import limits from "./jobs.json" with { type: "json" };

const INVOKE_MILLISECONDS = 5_000;
const ACCEPTED = 202;
const JSON_TYPE = { "content-type": "application/json" };
const HEADERS_WHILE_OPEN = { ...JSON_TYPE, "retry-after": String(limits.retry_after_seconds) };
const LIMIT = /^[1-9][0-9]{0,2}$/;
const PASSED_ALWAYS = ["accept", "content-type", ...Object.values(apis.headers).flat()];

const { JOBS_TABLE, JOB_FUNCTION, EVENT_ENDS } = process.env;

// Whether this deployment has jobs at all.
export const hasJobs = Boolean(JOBS_TABLE);

// Where jobs are kept: until the event ends, which takes the table away, or for a day.
export const store = new JobStore(JOBS_TABLE, callDynamoDb, EVENT_ENDS ? undefined : limits.kept_seconds);

// Answers a call with a job that will answer it. Of its headers only those are kept that reach a model.
export async function startJob(request, model, models, answer) {
    refusePaused(model, request);
    const owner = ownerOf(request);
    const id = `job_${randomBytes(16).toString("hex")}`;
    const { path, hasResource, refused, hasKey, team, body } = request;
    const kept = { method: "POST", path, hasResource, headers: passedHeaders(request, models), refused, hasKey, team };
    const job = await keep(() => store.add(owner, { id, model, request: { ...kept, id: answer.requestId }, body }));
    await run(owner, id, job);
    const applied = { location: `${request.root}/v1/jobs/${id}`, "preference-applied": "respond-async" };
    await answer.send(ACCEPTED, { ...HEADERS_WHILE_OPEN, ...applied }, JSON.stringify(describe(job)));
}

// Answers a reading of `/v1/jobs`. Where nobody has a key, nobody sees what others have asked.
export async function answerJobs(request, answer) {
    const owner = ownerOf(request);
    const { limit, after } = readPage(request.query);
    const jobs = owner === null ? [] : await keep(() => store.list(owner));
    const ids = jobs.map(idOf);
    if (after !== undefined && !ids.includes(after)) throw JOB_NOT_FOUND;
    const start = after === undefined ? 0 : ids.indexOf(after) + 1;
    const data = jobs.slice(start, start + limit).map(describe);
    const ends = { first_id: data.at(0)?.id ?? null, last_id: data.at(-1)?.id ?? null };
    const list = { object: "list", data, ...ends, has_more: jobs.length > start + limit };
    return sendDocument(request, answer, 200, JSON_TYPE, list);
}

// Returns which part of a list its reader asks for: so many jobs, those after the one with an id.
function readPage({ limit = String(limits.listed), after }) {
    const most = limits.most_listed;
    if (!LIMIT.test(limit) || Number(limit) > most) throw REFUSED.withMessage("limit", { most });
    return { limit: Number(limit), after };
}

// Answers a reading of `/v1/jobs/{id}`, and `DELETE`.
export async function answerJob(request, answer) {
    const owner = ownerOf(request);
    const { id } = request.parameters;
    const job = await keep(() => store.find(owner, id));
    if (!job) throw JOB_NOT_FOUND;
    if (request.method === "DELETE") return answer.sendJson(describe(await keep(() => remove(owner, id, job))));
    if (store.isLost(job)) throw job.job_status === QUEUED ? MODEL_NOT_READY : JOB_INTERRUPTED;
    if ([QUEUED, RUNNING].includes(job.job_status)) {
        return sendDocument(request, answer, ACCEPTED, HEADERS_WHILE_OPEN, describe(job));
    }
    if (job.job_status === CANCELLED) return sendDocument(request, answer, 200, JSON_TYPE, describe(job));
    return passOn(job, request, answer);
}

function sendDocument({ method }, answer, status, headers, document) {
    return answer.send(status, headers, method === "HEAD" ? "" : JSON.stringify(document));
}

async function passOn(job, { method }, answer) {
    const { statusCode, headers } = JSON.parse(job.answer_text);
    if (method === "HEAD") return answer.send(statusCode, headers, "");
    const parts = store.readAnswer(job);
    const first = await keep(() => parts.next());
    answer.writeHead(statusCode, headers);
    if (!first.done) await answer.write(first.value);
    for await (const part of parts) await answer.write(part);
    await answer.end();
}

async function remove(owner, id, job) {
    const cancelled = store.isLost(job) ? null : await store.cancel(owner, id);
    if (cancelled) return cancelled;
    const last = (await store.find(owner, id)) ?? job;
    if (!store.isWorking(last)) await store.forget(owner, id, last); // else a caller could have more at once than is allowed
    return last;
}

// Lets the other function run a job. Where nobody knows that it will, the job is withdrawn, so that a caller who is told so
// may ask again.
async function run(owner, id, job) {
    try {
        await runLater(JOB_FUNCTION, { owner, id }, INVOKE_MILLISECONDS);
    } catch (cause) {
        const isWithdrawn = await keep(() => store.cancel(owner, id, [QUEUED]));
        if (!isWithdrawn) return; // it runs all the same
        await keep(() => store.forget(owner, id, job));
        throw Object.assign(cause, { asApiError: MODEL_NOT_READY });
    }
}

// Returns whose jobs a caller sees; null stands for all callers, where nobody has a key.
function ownerOf({ hasKey, team }) {
    if (!hasKey) return null;
    if (!team) throw MODEL_NOT_READY; // nobody knows whose they are
    return team;
}

function passedHeaders({ headers }, models) {
    const configured = [...models.values()].flatMap((entry) => entry.headers ?? []);
    const names = new Set([...PASSED_ALWAYS, ...configured.map((name) => name.toLowerCase())]);
    return Object.fromEntries(Object.entries(headers).filter(([name]) => names.has(name)));
}

function describe(job) {
    const status = store.isLost(job) ? FAILED : job.job_status;
    return { id: idOf(job), object: "job", status, model: job.model_name, created_at: Math.floor(job.created_at) };
}

function refuseMany() {
    return Object.assign(TOO_MANY_JOBS.saying(TOO_MANY_JOBS.message), { retryAfter: String(limits.retry_after_seconds) });
}

// Returns what an operation of the store returns; its failures are told as what may be tried again.
async function keep(operate) {
    try {
        return await operate();
    } catch (cause) {
        throw cause instanceof TooManyJobs ? refuseMany() : Object.assign(cause, { asApiError: MODEL_NOT_READY });
    }
}
