// Decides whether a call may spend what it may need: whose accounts it is charged to, and what an item of the table means.
// Pure. One machine decides the same (local/admission/accounts.py); the same cases test both.
//
// An item of the table is what one owner, a team or all of them, has used in one period. `used_tokens` and
// `used_nanodollars` are what was spent and what calls under way may still need; `open_tokens` and `open_nanodollars` are
// the latter alone, as far as a call can be under way: until `open_until`. A call goes on only if its whole need fits below
// every limit, and the item grows by that need first. When the call is over, what it did not spend is taken off again. So
// no item exceeds a limit, in whatever order calls begin and end; and a call whose end nobody tells has spent all that it
// asked for.

export const UNITS = ["tokens", "nanodollars"];
export const POT = ""; // the owner of what all teams share; no team has an empty name

const SECONDS = { minute: 60, day: 24 * 60 * 60 }; // how long periods are, by UTC's clock; that of an event never ends
const KEPT_SECONDS = 2 * 24 * 60 * 60; // how long the items of periods are kept after their end

// Returns when the present period began and how long it is, in seconds; `start` is 0 and `seconds` undefined for an event.
export function openPeriod(period, now) {
    const seconds = SECONDS[period];
    return { seconds, start: seconds ? Math.floor(now / seconds) * seconds : 0 };
}

// Returns the accounts of limits, each `{owner, unit, period, most}`, in the periods of an instant in seconds since the
// epoch: for each owner and period one, with the most of each unit that is limited.
export function openAccounts(limits, now) {
    const accounts = new Map();
    for (const { owner, unit, period, most } of limits) {
        const { seconds, start } = openPeriod(period, now);
        const key = keyOf({ owner, period, start });
        const id = JSON.stringify(key);
        const expires = seconds ? start + seconds + KEPT_SECONDS : undefined;
        if (!accounts.has(id)) accounts.set(id, { key, expires, most: {} });
        accounts.get(id).most[unit] = most;
    }
    return [...accounts.values()];
}

function keyOf({ owner, period, start }) {
    return { holder: holderOf(owner), span: period in SECONDS ? `${period}#${start}` : period };
}

// Returns how the table names an owner.
export function holderOf(owner) {
    return owner === POT ? "pot" : `team#${owner}`;
}

// Returns what is used of a limit, and what of that calls under way may still give back.
export function stateOf(item, { unit }, now) {
    const isOpen = now < (item?.open_until ?? 0);
    return { used: item?.[`used_${unit}`] ?? 0, pending: isOpen ? (item[`open_${unit}`] ?? 0) : 0 };
}

// Returns the limit that a call does not fit below, undefined where it fits. Of several, the one for which its caller waits
// longest. `stateOfLimit` returns `{used, pending}` of a limit.
export function judgeCall(limits, need, now, stateOfLimit) {
    const shortages = limits
        .map((limit) => describe(limit, need[limit.unit], now, stateOfLimit(limit)))
        .filter(({ limit, need: asked, used }) => used + asked > limit.most);
    return shortages.reduce((worst, other) => (worst && compare(worst, other) >= 0 ? worst : other), undefined);
}

function describe(limit, need, now, { used, pending }) {
    const { seconds, start } = openPeriod(limit.period, now);
    const left = Math.max(0, limit.most - used);
    return {
        limit,
        need,
        used,
        left,
        pending,
        returnsAfterSeconds: seconds ? Math.max(1, Math.trunc(start + seconds - now) + 1) : null, // null: never
        isHopeless: need > limit.most, // even if nothing was used
        isPassing: need <= left + pending, // once every call under way has given everything back
    };
}

// Compares shortages by how long they last.
function compare(one, other) {
    const rank = ({ isHopeless, isPassing, returnsAfterSeconds }) => [isHopeless, !isPassing, returnsAfterSeconds ?? Infinity];
    const [left, right] = [rank(one), rank(other)];
    const index = left.findIndex((value, place) => value !== right[place]);
    if (index < 0) return 0;
    return left[index] < right[index] ? -1 : 1;
}
