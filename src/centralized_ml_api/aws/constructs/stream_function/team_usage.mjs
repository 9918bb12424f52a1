// Answers `GET /v1/usage`: what the caller's team has used, what is left of its limits, and until when.

import { MODEL_NOT_READY } from "./errors.mjs";
import { findLimits, grants, ledger } from "./expense.mjs";
import { describeLimits, inDollars } from "./refusals.mjs";
import { roster } from "./roster.mjs";

export async function answerUsage({ team }, answer) {
    const limits = findLimits(team);
    const [counts, left] = await readUsage(team, limits);
    return answer.sendJson({
        team: await roster.nameOf(team),
        calls: counts.call_count,
        tokens_in: counts.tokens_in,
        tokens_cached: counts.tokens_cached,
        tokens_out: counts.tokens_out,
        tokens_estimated: counts.tokens_estimated,
        usd: inDollars(counts.nanodollars),
        limits: describeLimits(left, Date.now() / 1000),
    });
}

async function readUsage(team, limits) {
    try {
        const raised = await grants.raise(limits, team);
        return await Promise.all([ledger.readCounts(team), raised.length ? ledger.readLeft(raised) : []]);
    } catch (cause) {
        throw Object.assign(cause, { asApiError: MODEL_NOT_READY });
    }
}
