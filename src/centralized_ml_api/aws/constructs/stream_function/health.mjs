// Answers `GET /health`: which entries are ready, by the status of their endpoints, and whether providers take the key.
// A model that sleeps, or wakes, counts as ready: a call wakes it.

import { MODEL_NOT_READY, NOT_READY_REASONS, bodyOf, headersOf } from "./errors.mjs";
import { findProviderReason } from "./provider.mjs";

const CONCURRENT_REQUESTS = 10;
const TIMEOUT_MILLISECONDS = 20_000; // less than the 29 seconds of API Gateway

// The statuses in which an endpoint or an inference component serves requests, also during an update and after one that
// failed.
// Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html (EndpointStatus)
// and https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeInferenceComponent.html
const READY = ["InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"];
const REASONS = {
    Creating: NOT_READY_REASONS.starting,
    Deleting: NOT_READY_REASONS.removed,
    Failed: NOT_READY_REASONS.failed,
    OutOfService: NOT_READY_REASONS.out_of_service,
};
const NOT_FOUND = NOT_READY_REASONS.missing;
const UNKNOWN = NOT_READY_REASONS.unready; // the status gives no reason

let cached = { at: -Infinity };

// The state of an entry that is ready. Any other has a `reason` why not, or `sleep`: `asleep` or `waking`.
const READY_STATE = {};

// Answers a HEAD with the same headers and no body.
export async function answerHealth(request, models, answer, cancellation) {
    const states = await findStates(models, cancellation);
    const [unready, asleep] = ["reason", "sleep"].map((key) => pick(states, key));
    const status = unready.size ? MODEL_NOT_READY.status : 200;
    const headers = unready.size ? headersOf(MODEL_NOT_READY) : { "content-type": "application/json" };
    const build = process.env.HEALTH_NAMES === "no" ? buildStatus : buildDocument;
    const body = JSON.stringify(build([...models.keys()], { unready, asleep }, answer.requestId));
    return answer.send(status, headers, request.method === "HEAD" ? "" : body);
}

// Returns what states have at `key`, by the names of the entries in their order.
function pick(states, key) {
    const found = [...states].filter(([, state]) => state[key]).map(([name, state]) => [name, state[key]]);
    return new Map(found.sort(([left], [right]) => (left < right ? -1 : 1)));
}

function buildDocument(names, { unready, asleep }, requestId) {
    const ready = names.filter((name) => !unready.has(name) && !asleep.has(name)).sort();
    const document = {
        status: unready.size ? "unready" : "ok",
        ready,
        unready: Object.fromEntries(unready),
        ...(asleep.size && { asleep: Object.fromEntries(asleep) }),
    };
    if (!unready.size) return document;
    const listed = [...unready].map(([name, reason]) => `${name} (${reason})`).join("; ");
    return { ...bodyOf(MODEL_NOT_READY.withMessage("listing", { models: listed }), requestId), ...document };
}

// Builds what anyone may read where a key is needed to see the models: API Gateway checks no key on this path.
function buildStatus(names, { unready }, requestId) {
    if (!unready.size) return { status: "ok" };
    return { ...bodyOf(MODEL_NOT_READY.withMessage("unnamed"), requestId), status: "unready" };
}

// Caches the result: anyone may ask without a key, and SageMaker should be asked rarely.
async function findStates(models, cancellation) {
    if (Date.now() - cached.at >= Number(process.env.HEALTH_SECONDS) * 1000) {
        cached = { states: await loadStates(models, cancellation), at: Date.now() };
    }
    return cached.states;
}

// Returns the states of entries, by name.
async function loadStates(models, cancellation) {
    const hosted = [...models.values()].filter(({ endpoint }) => endpoint);
    const states = hosted.length ? await describeAll(hosted) : new Map();
    const limited = cancellation.within(TIMEOUT_MILLISECONDS);
    const found = await Promise.all([...models].map(async ([name, entry]) => {
        if (!entry.provider) return [name, states.get(entry.component ?? entry.endpoint)];
        return [name, { reason: await findProviderReason(name, entry, limited) }];
    }));
    return new Map(found);
}

// Returns the states of endpoints by their names; of one that hosts an inference component, that of the component.
async function describeAll(entries) {
    // Imported here because calls of models do not need it.
    const sagemaker = await import("@aws-sdk/client-sagemaker");
    const client = new sagemaker.SageMakerClient();
    const abortSignal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
    const states = new Map();
    const commands = new Map(entries.map(({ endpoint, component }) => [
        component ?? endpoint,
        component
            ? new sagemaker.DescribeInferenceComponentCommand({ InferenceComponentName: component })
            : new sagemaker.DescribeEndpointCommand({ EndpointName: endpoint }),
    ]));
    const queue = commands.entries(); // one iterator for all workers
    const worker = async () => {
        for (const [name, command] of queue) {
            const description = client.send(command, { abortSignal });
            states.set(name, await description.then(readState, (cause) => ({ reason: reasonFromError(cause, name) })));
        }
    };
    await Promise.all(Array.from({ length: CONCURRENT_REQUESTS }, worker));
    return states;
}

function readState({ EndpointStatus, InferenceComponentStatus, RuntimeConfig }) {
    const status = EndpointStatus ?? InferenceComponentStatus;
    if (!READY.includes(status)) return { reason: REASONS[status] ?? UNKNOWN };
    if (!RuntimeConfig || RuntimeConfig.CurrentCopyCount > 0) return READY_STATE;
    return { sleep: RuntimeConfig.DesiredCopyCount > 0 ? "waking" : "asleep" };
}

function reasonFromError(cause, name) {
    if (cause.name === "ValidationException" && cause.message.includes("ould not find")) return NOT_FOUND;
    console.error(JSON.stringify({ endpoint: name, cause: cause.name, why: cause.message }));
    return UNKNOWN;
}
