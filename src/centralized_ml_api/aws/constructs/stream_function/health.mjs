// `GET /health`: which entries can answer now, by the status of their endpoints.

import { MODEL_NOT_READY, bodyOf, headersOf } from "./errors.mjs";

const AT_ONCE = 10;
const TIMEOUT_MILLISECONDS = 20_000; // less than the 29 seconds after which callers give up

// The statuses in which an endpoint answers: also while it is updated, and after an update that failed.
// Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html (EndpointStatus)
const READY = ["InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"];
const REASONS = {
    Creating: "is starting",
    Deleting: "is being removed",
    Failed: "could not be started",
    OutOfService: "is out of service",
};
const NOT_FOUND = "does not exist";
const UNKNOWN = "is not ready"; // SageMaker gives no reason

let last = { at: -Infinity };

// A HEAD gets the same without the body.
export async function answerHealth(request, models, answer) {
    const unready = await findUnready(models);
    const status = unready.size ? MODEL_NOT_READY.status : 200;
    const headers = unready.size ? headersOf(MODEL_NOT_READY) : { "content-type": "application/json" };
    const body = JSON.stringify(documentOf([...models.keys()], unready, answer.requestId));
    return answer.send(status, headers, request.method === "HEAD" ? "" : body);
}

function documentOf(names, unready, requestId) {
    const ready = names.filter((name) => !unready.has(name)).sort();
    const document = { status: unready.size ? "unready" : "ok", ready, unready: Object.fromEntries(unready) };
    if (!unready.size) return document;
    const named = [...unready].map(([name, reason]) => `${name} (${reason})`).join("; ");
    return { ...bodyOf(MODEL_NOT_READY.withMessage("listing", { models: named }), requestId), ...document };
}

// Everybody may ask, without a key: the result is cached for a while, so that SageMaker is asked less often.
async function findUnready(models) {
    if (Date.now() - last.at >= Number(process.env.HEALTH_SECONDS) * 1000) {
        last = { unready: await askSageMaker(models), at: Date.now() };
    }
    return last.unready;
}

// Why an entry cannot answer, by names, in order.
async function askSageMaker(models) {
    const reasons = await findReasons([...models.values()].map(({ endpoint }) => endpoint));
    const found = [...models].map(([name, { endpoint }]) => [name, reasons.get(endpoint)]);
    return new Map(found.filter(([, reason]) => reason).sort(([left], [right]) => (left < right ? -1 : 1)));
}

async function findReasons(endpoints) {
    // Imported here, because calls of models do not need it.
    const { DescribeEndpointCommand, SageMakerClient } = await import("@aws-sdk/client-sagemaker");
    const client = new SageMakerClient();
    const abortSignal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
    const reasons = new Map();
    const waiting = [...new Set(endpoints)].values(); // one iterator, shared by all workers
    const work = async () => {
        for (const EndpointName of waiting) {
            const answered = client.send(new DescribeEndpointCommand({ EndpointName }), { abortSignal });
            const reason = await answered.then(ofStatus, (cause) => ofFailure(cause, EndpointName));
            reasons.set(EndpointName, reason);
        }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return reasons;
}

function ofStatus({ EndpointStatus }) {
    return READY.includes(EndpointStatus) ? undefined : (REASONS[EndpointStatus] ?? UNKNOWN);
}

function ofFailure(cause, endpoint) {
    if (cause.name === "ValidationException" && cause.message.includes("ould not find")) return NOT_FOUND;
    console.error(JSON.stringify({ endpoint, cause: cause.name, why: cause.message }));
    return UNKNOWN;
}
