// Words the refusals of limits in tokens and dollars, and what the headers of answers say of them. Pure. One machine says
// the same (local/admission/refusals.py); the same cases test both.

import { POT, openPeriod } from "./accounts.mjs";
import { BUDGET_EXCEEDED, LONGEST_WAIT_SECONDS, RETRY_AFTER_SECONDS, TOKENS_EXCEEDED } from "./errors.mjs";

const PERIODS = { minute: "a minute", day: "a day (UTC)", event: "in the whole event" };

// Returns the error of a call that does not fit below a limit: what is left, and when more is.
export function refuseShortage({ limit, need, left, isHopeless, isPassing, returnsAfterSeconds: after }) {
    const error = limit.unit === "tokens" ? TOKENS_EXCEEDED : BUDGET_EXCEEDED;
    const words = {
        whose: limit.owner === POT ? "All teams together" : "Your team",
        most: render(limit.unit, limit.most),
        period: PERIODS[limit.period],
        left: render(limit.unit, left),
        need: render(limit.unit, need),
    };
    const saying = (name, more) => error.withMessage(name, { ...words, ...more });
    if (isHopeless) return Object.assign(saying("never"), { retryAfter: null, stops: true });
    if (isPassing) return Object.assign(saying("pending"), { retryAfter: String(RETRY_AFTER_SECONDS) });
    if (after === null) return Object.assign(saying("used_up"), { retryAfter: null, stops: true });
    const until = saying("until", { seconds: after });
    return Object.assign(until, { retryAfter: String(after), stops: after > LONGEST_WAIT_SECONDS });
}

// Returns the headers of an answer by OpenAI's names: the limit in tokens of which least is left. `limits` are pairs of a
// limit and what is left of it.
export function renderLeft(limits, now) {
    const tokens = limits.filter(([{ unit }]) => unit === "tokens");
    if (!tokens.length) return {};
    const [limit, left] = tokens.reduce((least, pair) => (pair[1] < least[1] ? pair : least));
    const { seconds } = openPeriod(limit.period, now);
    return {
        "x-ratelimit-limit-tokens": String(limit.most),
        "x-ratelimit-remaining-tokens": String(left),
        ...(seconds && { "x-ratelimit-reset-tokens": `${Math.trunc(seconds - (now % seconds)) + 1}s` }),
    };
}

// Returns what `GET /v1/usage` says of limits, given as for `renderLeft`.
export function describeLimits(limits, now) {
    return limits.map(([{ owner, unit, period, most }, left]) => {
        const { seconds, start } = openPeriod(period, now);
        const show = (amount) => (unit === "tokens" ? amount : inDollars(amount));
        return {
            of: owner === POT ? "all teams" : "team",
            unit: unit === "tokens" ? "tokens" : "usd",
            period,
            limit: show(most),
            left: show(left),
            resets: seconds ? new Date((start + seconds) * 1000).toISOString().replace(".000Z", "Z") : null,
        };
    });
}

export function inDollars(nanodollars) {
    return nanodollars / 1e9;
}

function render(unit, amount) {
    if (unit === "tokens") return `${amount.toLocaleString("en-US")} tokens`;
    return `${renderDollars(amount)} USD`;
}

// Renders US dollars: to the cent, below one dollar to the hundredth of a cent; a half goes to the even digit.
function renderDollars(nanodollars) {
    const digits = nanodollars >= 1e9 || nanodollars === 0 ? 2 : 4;
    const step = 10 ** (9 - digits);
    const [whole, rest] = [Math.floor(nanodollars / step), nanodollars % step];
    const isUp = rest * 2 > step || (rest * 2 === step && whole % 2 === 1);
    return ((whole + (isUp ? 1 : 0)) / 10 ** digits).toLocaleString("en-US", {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
    });
}
