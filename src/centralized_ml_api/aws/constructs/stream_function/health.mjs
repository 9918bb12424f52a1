// Answers `GET /health`: which entries are ready, by the status of their endpoints, and whether providers take the key.

import { MODEL_NOT_READY, NOT_READY_REASONS, bodyOf, headersOf } from "./errors.mjs";
import { findProviderReason } from "./provider.mjs";

const CONCURRENT_REQUESTS = 10;
const TIMEOUT_MILLISECONDS = 20_000; // less than the 29 seconds of API Gateway

// The statuses in which an endpoint serves requests, also during an update and after one that failed.
// Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html (EndpointStatus)
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

// Answers a HEAD with the same headers and no body.
export async function answerHealth(request, models, answer, cancellation) {
    const unready = await findUnready(models, cancellation);
    const status = unready.size ? MODEL_NOT_READY.status : 200;
    const headers = unready.size ? headersOf(MODEL_NOT_READY) : { "content-type": "application/json" };
    const build = process.env.HEALTH_NAMES === "no" ? buildStatus : buildDocument;
    const body = JSON.stringify(build([...models.keys()], unready, answer.requestId));
    return answer.send(status, headers, request.method === "HEAD" ? "" : body);
}

function buildDocument(names, unready, requestId) {
    const ready = names.filter((name) => !unready.has(name)).sort();
    const document = { status: unready.size ? "unready" : "ok", ready, unready: Object.fromEntries(unready) };
    if (!unready.size) return document;
    const listed = [...unready].map(([name, reason]) => `${name} (${reason})`).join("; ");
    return { ...bodyOf(MODEL_NOT_READY.withMessage("listing", { models: listed }), requestId), ...document };
}

// Builds what anyone may read where a key is needed to see the models: API Gateway checks no key on this path.
function buildStatus(names, unready, requestId) {
    if (!unready.size) return { status: "ok" };
    return { ...bodyOf(MODEL_NOT_READY.withMessage("unnamed"), requestId), status: "unready" };
}

// Caches the result: anyone may ask without a key, and SageMaker should be asked rarely.
async function findUnready(models, cancellation) {
    if (Date.now() - cached.at >= Number(process.env.HEALTH_SECONDS) * 1000) {
        cached = { unready: await loadUnready(models, cancellation), at: Date.now() };
    }
    return cached.unready;
}

// Returns why entries are not ready, by name, in the order of their names.
async function loadUnready(models, cancellation) {
    const endpoints = [...models.values()].map(({ endpoint }) => endpoint).filter(Boolean);
    const reasons = endpoints.length ? await loadReasons(endpoints) : new Map();
    const limited = cancellation.within(TIMEOUT_MILLISECONDS);
    const found = await Promise.all([...models].map(async ([name, entry]) => {
        const reason = entry.provider ? await findProviderReason(name, entry, limited) : reasons.get(entry.endpoint);
        return [name, reason];
    }));
    return new Map(found.filter(([, reason]) => reason).sort(([left], [right]) => (left < right ? -1 : 1)));
}

// Returns why endpoints are not ready, by their names; undefined for those that are.
async function loadReasons(endpoints) {
    // Imported here because calls of models do not need it.
    const { DescribeEndpointCommand, SageMakerClient } = await import("@aws-sdk/client-sagemaker");
    const client = new SageMakerClient();
    const abortSignal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
    const reasons = new Map();
    const queue = [...new Set(endpoints)].values(); // one iterator for all workers
    const worker = async () => {
        for (const EndpointName of queue) {
            const description = client.send(new DescribeEndpointCommand({ EndpointName }), { abortSignal });
            const reason = await description.then(reasonFromStatus, (cause) => reasonFromError(cause, EndpointName));
            reasons.set(EndpointName, reason);
        }
    };
    await Promise.all(Array.from({ length: CONCURRENT_REQUESTS }, worker));
    return reasons;
}

function reasonFromStatus({ EndpointStatus }) {
    return READY.includes(EndpointStatus) ? undefined : (REASONS[EndpointStatus] ?? UNKNOWN);
}

function reasonFromError(cause, endpoint) {
    if (cause.name === "ValidationException" && cause.message.includes("ould not find")) return NOT_FOUND;
    console.error(JSON.stringify({ endpoint, cause: cause.name, why: cause.message }));
    return UNKNOWN;
}
