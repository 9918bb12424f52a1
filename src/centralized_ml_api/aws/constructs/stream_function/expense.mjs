// What a call spends: measured by its body, reserved before its model is asked, settled when it is over.
//
// `spending.json`, which a deploy writes, has the limits of each team and of all together, each `[unit, period, most]`, and
// what is known of each entry: `price` in picodollars of a token read, from a cache, written, and `answer_tokens`, the
// longest answer for which nobody has a number. Without limits it is empty, and nothing is asked of any table.

import spending from "./spending.json" with { type: "json" };

import { POT } from "./accounts.mjs";
import { callDynamoDb } from "./dynamodb.mjs";
import { buildMost, buildNeed, estimateTokens, judgeEnding } from "./endings.mjs";
import { MODEL_NOT_READY } from "./errors.mjs";
import { Grants } from "./grants.mjs";
import { Ledger, ShortageError, dayOf } from "./ledger.mjs";
import { mayWriteCache, measureBytes, measureNeed } from "./needs.mjs";
import { refuseShortage, renderLeft } from "./refusals.mjs";
import { roster } from "./roster.mjs";
import { tellSpent } from "./spent_metrics.mjs";

const COUNT_TOKENS_PATH = "/v1/messages/count_tokens"; // which asks for no answer
const OLDER_LIMIT = "max_tokens";
// The answers of SageMaker after which it is sure that the model did not work.
// Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html and CommonErrors.html
// there
const SURE_STATUSES = [400, 401, 403, 404, 413, 429, 503];
// What Node says where there is no connection.
// Source: https://nodejs.org/docs/latest-v24.x/api/errors.html#common-system-errors
const NEVER_SENT = ["EAI_AGAIN", "ECONNREFUSED", "ENOTFOUND"];

const { limits: LIMITS = {}, entries: ENTRIES = {} } = spending;
const isCounted = Object.keys(LIMITS).length > 0;

export const ledger = isCounted ? new Ledger(process.env.SPENDING_TABLE, callDynamoDb) : null;
export const grants = isCounted ? new Grants((team) => ledger.readGrant(team)) : null;

// Returns what limits the calls of a team: its own limits, and those of all teams. Without a name nobody knows whose calls
// they are: nobody spends what cannot be written down.
export function findLimits(team) {
    if (!isCounted) return [];
    if (!team) throw MODEL_NOT_READY;
    const owners = [team, POT].filter((owner) => Object.hasOwn(LIMITS, owner)); // a team may be called `constructor`
    return owners.flatMap((owner) => LIMITS[owner].map(([unit, period, most]) => ({ owner, unit, period, most })));
}

// Measures what a call with a JSON body needs. Throws INVALID_BODY where nothing bounds it.
export function measureExpense({ path, name, entry, request, body, answer }) {
    if (!isCounted || path === COUNT_TOKENS_PATH) return FREE;
    const limits = findLimits(request.team);
    const { max_output_tokens: cap, provider } = entry;
    const terms = { path, answerTokens: ENTRIES[name].answer_tokens, cap, limitKey: provider?.limit_key ?? OLDER_LIMIT };
    const measured = limits.length && measureNeed(request.body.length, body.document, (key) => body.has(key), terms);
    return new Expense({ limits, measured, name, request, answer, isStream: body.document.stream === true, hasTokens: true });
}

// Measures what a call needs whose body only its model reads: its tokens are counted from bytes.
export function measureBytesExpense({ name, request, answer }) {
    if (!isCounted) return FREE;
    const limits = findLimits(request.team);
    const measured = measureBytes(request.body.length, { answerTokens: ENTRIES[name].answer_tokens });
    return new Expense({ limits, measured, name, request, answer, isStream: false, hasTokens: false });
}

// Runs what asks a model and passes on what it answers, and settles when that is over, however it ends.
export async function spend(expense, work) {
    try {
        await work();
        expense.end();
    } catch (cause) {
        expense.fail(cause);
        throw cause;
    } finally {
        await expense.settle();
    }
}

// The expense of a call that nobody counts.
const FREE = {
    isCounted: false,
    members: undefined,
    async reserve() {},
    noteStatus() {},
    noteUsage() {},
    end() {},
    fail() {},
    async settle() {},
};

class Expense {
    #call;
    #price;
    #need;
    #accounts = []; // those that are charged
    #ending = { isSent: false };

    // `members` are what the body must have, so that the call cannot need more; undefined where nothing is limited.
    constructor(call) {
        const { measured, name, request } = call;
        this.#call = call;
        this.isCounted = true;
        this.#price = ENTRIES[name].price;
        this.members = measured ? measured.members : undefined;
        this.#need = measured ? buildMost(measured, this.#price, mayWriteCache(request.body)) : null;
    }

    // Reserves what the call may need: call this just before the model is asked. Throws the refusal of a call that does not
    // fit below a limit.
    async reserve() {
        if (this.#need) await this.#charge();
        this.#ending = { isSent: true, isLost: true };
    }

    async #charge() {
        const { request, limits, answer } = this.#call;
        try {
            const raised = await grants.raise(limits, request.team);
            const { accounts, left } = await ledger.reserve(raised, this.#need);
            this.#accounts = accounts;
            answer.left = renderLeft(left, Date.now() / 1000);
        } catch (cause) {
            logLost(cause.lost, answer);
            if (cause instanceof ShortageError) throw refuseShortage(cause.shortage);
            throw Object.assign(cause, { asApiError: MODEL_NOT_READY });
        }
    }

    // Notes the tokens that the server reports: `usage` has `tokens_in` and others, as far as it does, and `is_broken_off`
    // where they are not all. With `isEstimated` nobody but this function has counted them.
    noteUsage(usage, isEstimated = false) {
        const { tokens_in: read, tokens_cached: cached, tokens_out: written, tokens_cache_writes: cacheWrites } = usage;
        const isBrokenOff = usage.is_broken_off === true;
        Object.assign(this.#ending, { tokens: { read, cached, written, cacheWrites }, isEstimated, isBrokenOff });
    }

    // Notes the status of a provider's answer.
    noteStatus(status) {
        this.#ending.status = status;
    }

    // Notes that the answer was passed on to its end.
    end() {
        Object.assign(this.#ending, { status: 200, isLost: Boolean(this.#ending.isBrokenOff) });
    }

    // Notes why the call has failed.
    fail(cause) {
        if (cause.asApiError === MODEL_NOT_READY || NEVER_SENT.includes(cause.code)) this.#ending.isSent = false;
        const { status } = this.#ending;
        const error = status >= 300 ? status : sureStatusOf(cause);
        if (error) Object.assign(this.#ending, { status: Math.max(400, error), isSure: true, isLost: false });
    }

    // Settles what the call has used: call this once it is over.
    async settle() {
        const { hasTokens, answer, request } = this.#call;
        const bytes = { bytesIn: request.body.length, bytesOut: answer.bytes };
        const ending = { ...this.#ending, bytesOut: bytes.bytesOut };
        const kept = { need: this.#need, price: this.#price, bytesIn: bytes.bytesIn, hasTokens };
        const settled = this.#need ? ledger.settle(this.#accounts, this.#need, judgeEnding(kept, ending)) : [];
        const counted = ending.isSent ? this.#count(ending, bytes).then(() => null, (cause) => cause) : null;
        logLost(await settled, answer);
        const failure = await counted;
        if (failure) logFailed("the call is missing in what its team is told", failure, answer);
    }

    // Counts the call: by what its server reports, else by its bytes.
    async #count({ tokens, isEstimated, isSure }, { bytesIn, bytesOut }) {
        const { name, request, isStream } = this.#call;
        const isReported = tokens?.read !== undefined || tokens?.written !== undefined;
        const found = isReported ? tokens : isSure ? {} : estimateTokens(bytesIn, bytesOut, isStream);
        const { read = 0, cached = 0, written = 0, cacheWrites } = found;
        const { nanodollars } = buildNeed(read, written, this.#price, cached, cacheWrites);
        tellSpent(await roster.nameOf(request.team), { tokens: read + written, nanodollars });
        await ledger.count(request.team, dayOf(Date.now() / 1000), name, {
            call_count: 1,
            tokens_in: read,
            tokens_cached: cached,
            tokens_out: written,
            tokens_estimated: isReported && !isEstimated ? 0 : read + written,
            nanodollars,
        });
    }
}

function logLost(failures = [], answer) {
    for (const failure of failures) logFailed("what was reserved and not used counts as spent", failure, answer);
}

// Logs a line for the operator, who may raise a team's limit by what was lost.
function logFailed(effect, { name, message }, { requestId }) {
    console.error(JSON.stringify({ request_id: requestId, effect, cause: name, why: message }));
}

// Returns the status of an error after which it is sure that the model did not work: of a stream that its server has
// refused to begin, or of SageMaker.
function sureStatusOf({ isUntouched, status: refused, OriginalStatusCode: original, $metadata }) {
    if (isUntouched) return refused;
    if (original >= 400) return original;
    return SURE_STATUSES.find((status) => status === $metadata?.httpStatusCode);
}
