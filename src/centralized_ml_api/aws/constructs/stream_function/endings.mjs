// Says what a call may cost, and what it has used when it is over. Pure. One machine judges the same
// (local/admission/endings.py); the same cases test both.

const BYTES_PER_TOKEN = 4; // of a request, and of a whole answer: English text has about four letters for each token
const STREAM_BYTES_PER_TOKEN = 200; // each token of a stream comes in an event of its own
const FIRST_ERROR = 400;

const NOTHING = { tokens: 0, nanodollars: 0 };

// Returns what tokens need, in both units. `price` is in picodollars of a token read, from a cache, written; null where
// nothing is sold. Of the tokens read, `cached` came from a cache, and `cacheWrites` were written to one, which costs twice as
// much: no provider asks more for it. Dollars are whole nanodollars, rounded up.
export function buildNeed(read, written, price, cached = 0, cacheWrites = 0) {
    return { tokens: read + written, nanodollars: price ? costOf(read, written, price, cached, cacheWrites) : 0 };
}

// A product may be larger than JavaScript's numbers are exact.
function costOf(read, written, price, cached, cacheWrites) {
    const kept = Math.min(cached, read);
    const counts = [read - kept + cacheWrites, kept, written].map(BigInt);
    const picodollars = counts.reduce((sum, count, place) => sum + count * BigInt(price[place]), 0n);
    return Number((picodollars + 999n) / 1000n);
}

// Returns what a call needs at most; `measured` is `{read, written}` in tokens. What a cache writes may cost twice the price.
export function buildMost({ read, written }, price, writesCache) {
    const { nanodollars } = buildNeed(read * (writesCache ? 2 : 1), written, price);
    return { tokens: read + written, nanodollars };
}

// Returns what a call has used, null where nobody knows, and it counts in full.
//
// `kept` is what was reserved: `{need, price, bytesIn, hasTokens}`. `ending` is `{isSent, isLost, status, isSure, bytesOut,
// tokens, isEstimated}`: whether a server was asked, whether its answer broke off, the status of that answer, undefined
// without one, whether an error means that it did not work, and the tokens that it reports, or those that are estimated for
// it.
export function judgeEnding({ need, price, bytesIn, hasTokens }, ending) {
    const { tokens = {} } = ending;
    if (!ending.isSent) return NOTHING;
    if (ending.isLost) return null;
    if (ending.status >= FIRST_ERROR) return ending.isSure ? NOTHING : null;
    if (!ending.status) return null;
    if (tokens.read !== undefined || tokens.written !== undefined) {
        const { read = 0, written = 0, cached, cacheWrites } = tokens;
        const spent = buildNeed(read, written, price, cached, cacheWrites);
        return ending.isEstimated ? within(spent, need) : spent;
    }
    if (hasTokens) return null;
    const { read, written } = estimateTokens(bytesIn, ending.bytesOut, false);
    return within(buildNeed(read, written, price), need);
}

// An estimate must not be what exceeds a limit.
function within(used, need) {
    return {
        tokens: Math.min(used.tokens, need.tokens),
        nanodollars: Math.min(used.nanodollars, need.nanodollars),
    };
}

// Estimates the tokens of a call whose server reports none.
export function estimateTokens(bytesIn, bytesOut, isStream) {
    return {
        read: Math.floor(bytesIn / BYTES_PER_TOKEN),
        written: Math.floor(bytesOut / (isStream ? STREAM_BYTES_PER_TOKEN : BYTES_PER_TOKEN)),
    };
}
