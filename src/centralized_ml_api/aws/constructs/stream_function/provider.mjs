// Answers calls of entries whose models a provider hosts, with the organizer's key.

import apis from "./apis.json" with { type: "json" };

import { NOT_READY_REASONS } from "./errors.mjs";
import { EVENTS_TYPE, awaitFirst } from "./framing.mjs";
import { readChunks, readStart, readWhole, send } from "./https_call.mjs";
import { listMeasured } from "./needs.mjs";
import { isRefusalOfKey, noteUsage, parse, passEvents, rewordError } from "./provider_answers.mjs";
import { signHeaders } from "./aws_signing.mjs";
import { adaptToProvider, addsUsage, limitsOf } from "./provider_body.mjs";
import { loadKey, loadReplacement } from "./secrets.mjs";
import { buildTranslatedCall, findServerApi } from "./translated.mjs";

const BASE = /^\/v1(?=\/)/; // what the provider's address stands for
const JSON_TYPE = { "content-type": "application/json" };
const ERROR_BYTES = 64 * 1024;
const CHECKED_MILLISECONDS = 60_000; // between two questions whether a key works

// Answers a call of a path under /v1; `request.headers` are the caller's.
export async function answerProvider({ path, name, entry, request, body, expense, answer, cancellation }) {
    const { provider } = entry;
    const api = apis.by_path[path];
    const isNative = findServerApi(provider, api) === api;
    const bounds = expense.members ?? limitsOf(body, path, entry);
    const measured = expense.members ? listMeasured(path) : [];
    const call = isNative ? buildCall(body, path, entry, bounds, measured) : buildTranslatedCall(body, path, name, entry, bounds);
    await expense.reserve();
    const usage = {};
    let status;
    try {
        const url = new URL(provider.url + call.path.replace(BASE, ""));
        const headers = { ...JSON_TYPE, ...(call.headers ?? passedHeaders(request, entry, api)) };
        const sent = { headers, body: call.text };
        const response = await sendWithKey(url, provider, sent, cancellation);
        status = response.statusCode;
        expense.noteStatus(status);
        if (status >= 300) throw await readError(response, name, answer.requestId, cancellation);
        answer.isPaid = true;
        await call.passOn({ response, status, usage, answer, cancellation });
    } finally {
        expense.noteUsage(usage);
        const line = { request_id: answer.requestId, model: name, provider_status: status, ...usage };
        console.log(JSON.stringify(line));
    }
}

function buildCall(body, path, entry, bounds, measured) {
    const hides = addsUsage(body.document, path, entry.provider);
    const text = adaptToProvider(body, path, entry, bounds, measured);
    return { path, text, passOn: (received) => passOn({ ...received, hides }) };
}

async function passOn({ response, status, hides, usage, answer, cancellation }) {
    const type = response.headers["content-type"] ?? "application/octet-stream";
    const headers = { "content-type": type };
    if (type.toLowerCase().startsWith(EVENTS_TYPE)) {
        const events = await awaitFirst(passEvents(readChunks(response, cancellation), hides, usage));
        answer.writeHead(status, { ...headers, "cache-control": "no-cache" });
        return answer.pipe(events);
    }
    const bytes = await readWhole(response, cancellation);
    noteUsage(parse(bytes.toString("utf8")), usage);
    return answer.send(status, headers, bytes);
}

// Returns the headers that reach the provider: the configured ones, those of its API, and no other of the caller's.
// Compressed answers could be neither reworded nor counted, so none are asked for.
function passedHeaders(request, { headers: configured }, api) {
    const names = [...configured.map((header) => header.toLowerCase()), ...(apis.headers[api] ?? [])];
    const passed = names.filter((name) => request.headers[name]).map((name) => [name, request.headers[name]]);
    const accept = request.headers.accept ? { accept: request.headers.accept } : {};
    return { ...Object.fromEntries(passed), ...accept };
}

// Sends a call. Where the provider refuses a key that has been replaced, it is sent again: no model has seen it.
async function sendWithKey(url, provider, { headers, body, method }, cancellation) {
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const attempt = (key) => {
        cancellation.startIdleTimer();
        const all = { ...provider.adds, ...headers, ...length, ...keyHeader(provider, key) };
        const sent = provider.signed ? sign({ url, headers: all, body }, provider.signed) : all;
        return send(url, { method, headers: sent, body, signal: cancellation.signal });
    };
    if (!provider.secret) return attempt(null);
    const key = await loadKey(provider.secret, cancellation);
    const response = await attempt(key);
    if (!isRefusalOfKey(response.statusCode)) return response;
    const replacement = await loadReplacement(provider.secret, key, cancellation);
    if (!replacement) return response;
    response.resume();
    return attempt(replacement);
}

function sign(request, region) {
    return signHeaders({ ...request, method: "POST", service: "bedrock", region });
}

function keyHeader({ header = "authorization", prefix = "Bearer " }, key) {
    return key === null ? {} : { [header]: `${prefix}${key}` };
}

async function readError(response, name, requestId, cancellation) {
    const { statusCode: status, headers } = response;
    const bytes = await readStart(response, cancellation, ERROR_BYTES);
    return rewordError({ status, headers, text: bytes.toString("utf8"), name, requestId });
}

const found = new Map(); // by entry: when it could be called

// Returns why an entry cannot be called, undefined where it can: a question that costs nothing. Where it can, it is asked
// again after a minute.
export async function findProviderReason(name, { provider }, cancellation) {
    if (Date.now() - found.get(name) < CHECKED_MILLISECONDS) return undefined;
    const reason = await ask(name, provider, cancellation);
    if (!reason) found.set(name, Date.now());
    return reason;
}

async function ask(name, provider, cancellation) {
    if (provider.signed) return undefined; // Bedrock has no question that costs nothing
    try {
        const url = new URL(provider.url + (provider.check ?? "/models"));
        const response = await sendWithKey(url, provider, { method: "GET", headers: {} }, cancellation);
        response.resume();
        if (!isRefusalOfKey(response.statusCode)) return undefined;
        console.error(JSON.stringify({ model: name, cause: "the provider refuses the key", status: response.statusCode }));
    } catch (cause) {
        console.error(JSON.stringify({ model: name, cause: cause.name, why: cause.message }));
    }
    return NOT_READY_REASONS.unready;
}
