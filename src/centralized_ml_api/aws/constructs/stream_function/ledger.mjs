// Keeps what teams spend in a table of DynamoDB: reserves what calls may need, settles what they have used. What an item
// means is in accounts.mjs.
//
// A call is charged to one account after the other, each by an update with a condition, and what was charged is given back
// where a later account has no room. A transaction would take all or nothing at once, for twice the price, and calls that
// meet at the pot would refuse one another; here each meets the other's reservation at most, which is the safe side.
//
// Nothing is tried again whose outcome nobody knows: lost on the way, it counts as spent.
//
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html (capacity, conflicts)

import { UNITS, holderOf, judgeCall, openAccounts, openPeriod, stateOf } from "./accounts.mjs";

const LONGEST_CALL_SECONDS = 900; // Lambda's limit: after that no call is under way
const GRANTED = "granted"; // the span of what a team has been granted
const COUNTED = "counted#"; // how the spans of items begin that only count
const COUNTS = ["call_count", "tokens_in", "tokens_cached", "tokens_out", "tokens_estimated", "nanodollars"];

// The error of a call that does not fit below a limit. What other accounts were charged is given back; where that
// fails, it counts as spent, and the failures are `lost` of the error, as of every other one of a reservation.
export class ShortageError extends Error {
    constructor(shortage) {
        super("a limit is reached");
        this.shortage = shortage;
    }
}

// The ledger in a table. `call` calls an operation of DynamoDB and throws an error with the name of its code; `now` returns
// the seconds since the epoch.
export class Ledger {
    #table;
    #call;
    #now;

    constructor(table, call, now = () => Date.now() / 1000) {
        this.#table = table;
        this.#call = call;
        this.#now = now;
    }

    // Reserves what a call may need. Returns `{accounts, left}`: the accounts that are charged, and pairs of a limit and what
    // is left of it. Throws ShortageError where it does not fit.
    async reserve(limits, need) {
        const now = this.#now();
        const hopeless = judgeCall(limits, need, now, () => ({ used: 0, pending: 0 }));
        if (hopeless) throw new ShortageError(hopeless);
        const accounts = [];
        const items = new Map();
        for (const account of openAccounts(limits, now)) {
            try {
                items.set(spanOf(account), await this.#charge(account, need, now));
            } catch (cause) {
                const lost = await this.settle(accounts, need, { tokens: 0, nanodollars: 0 });
                const isFull = cause.name === "ConditionalCheckFailedException";
                const error = isFull ? await this.#explain(limits, need, now, account, cause.item) : cause;
                throw Object.assign(error, { lost });
            }
            accounts.push(account);
        }
        const left = limits.map((limit) => [limit, leftOf(limit, items.get(spanOf(openAccounts([limit], now)[0])), now)]);
        return { accounts, left };
    }

    // Settles what a call has used, null where nobody knows. Throws nothing: what cannot be given back counts as spent.
    async settle(accounts, need, spent) {
        const changes = Object.fromEntries(UNITS.map((unit) => [unit, spent ? spent[unit] - need[unit] : 0]));
        const updates = accounts.map((account) => this.#giveBack(account, need, changes));
        return (await Promise.allSettled(updates)).filter(({ reason }) => reason).map(({ reason }) => reason);
    }

    // Counts a call for those who look at what was used. `counted` has some of `COUNTS`.
    async count(team, day, name, counted) {
        const kept = COUNTS.filter((count) => counted[count]);
        await this.#update({ holder: holderOf(team), span: `${COUNTED}${day}#${name}` }, {
            UpdateExpression: `ADD ${kept.map((count) => `${count} :${count}`).join(", ")}`,
            values: Object.fromEntries(kept.map((count) => [`:${count}`, counted[count]])),
        });
    }

    // Returns pairs of a limit and what is left of it.
    async readLeft(limits) {
        const now = this.#now();
        const items = await this.#read(limits, now);
        return limits.map((limit, index) => [limit, leftOf(limit, items[index], now)]);
    }

    // Returns what was counted for a team, of all its calls together.
    async readCounts(team) {
        const sums = Object.fromEntries(COUNTS.map((count) => [count, 0]));
        let start;
        do {
            const { Items, LastEvaluatedKey } = await this.#call("Query", {
                TableName: this.#table,
                KeyConditionExpression: "#holder = :holder AND begins_with(#span, :span)",
                ExpressionAttributeNames: { "#holder": "holder", "#span": "span" },
                ExpressionAttributeValues: { ":holder": { S: holderOf(team) }, ":span": { S: COUNTED } },
                ...(start && { ExclusiveStartKey: start }),
            });
            for (const item of Items.map(parse)) for (const count of COUNTS) sums[count] += item[count] ?? 0;
            start = LastEvaluatedKey;
        } while (start);
        return sums;
    }

    // Returns what a team has been granted on top of its limits, by unit.
    async readGrant(team) {
        const [grant = {}] = await this.#readItems([{ holder: holderOf(team), span: GRANTED }]);
        return grant;
    }

    // Returns the items of limits, in their order; undefined for those that nobody has used.
    async #read(limits, now) {
        const keys = limits.map((limit) => openAccounts([limit], now)[0].key);
        const different = [...new Map(keys.map((key) => [JSON.stringify(key), key])).values()];
        const found = await this.#readItems(different);
        return keys.map(({ holder, span }) => found.find((item) => item.holder === holder && item.span === span));
    }

    // Returns the items with these keys that exist, in any order.
    async #readItems(keys) {
        const { Responses, UnprocessedKeys } = await this.#call("BatchGetItem", {
            RequestItems: { [this.#table]: { Keys: keys.map(render), ConsistentRead: true } },
        });
        if (Object.keys(UnprocessedKeys ?? {}).length) throw new Error("DynamoDB did not read all items");
        return Responses[this.#table].map(parse);
    }

    async #charge({ key, expires, most }, need, now) {
        const limited = UNITS.filter((unit) => most[unit] !== undefined);
        const rooms = limited.map((unit) => [`:room_${unit}`, most[unit] - need[unit]]);
        const conditions = limited.map((unit) => `(attribute_not_exists(used_${unit}) OR used_${unit} <= :room_${unit})`);
        const { Attributes } = await this.#update(key, {
            UpdateExpression: `${addition(["used", "open"])} SET open_until = :until${expires ? ", expires_at = :expires" : ""}`,
            ConditionExpression: conditions.join(" AND "),
            ReturnValues: "ALL_NEW",
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
            values: {
                ...Object.fromEntries(rooms),
                ...Object.fromEntries(["used", "open"].flatMap((kind) => amounts(kind, need))),
                ":until": Math.ceil(now) + LONGEST_CALL_SECONDS,
                ...(expires && { ":expires": expires }),
            },
        });
        return parse(Attributes);
    }

    // The condition keeps an item from coming to life with less than nothing.
    async #giveBack({ key }, need, changes) {
        const back = Object.fromEntries(UNITS.map((unit) => [unit, -need[unit]]));
        await this.#update(key, {
            UpdateExpression: addition(["used", "open"]),
            ConditionExpression: "attribute_exists(open_until)",
            values: Object.fromEntries([...amounts("used", changes), ...amounts("open", back)]),
        });
    }

    // Says which of the limits a call does not fit below that one account has no room for.
    async #explain(limits, need, now, account, item) {
        const items = await this.#read(limits, now).catch(() => null);
        const judge = (of, find) => judgeCall(of, need, now, (limit) => stateOf(find(limit), limit, now));
        const own = limits.filter((limit) => spanOf(openAccounts([limit], now)[0]) === spanOf(account));
        const shortage = items && judge(limits, (limit) => items[limits.indexOf(limit)]);
        return new ShortageError(shortage ?? judge(own, () => item && parse(item)));
    }

    #update(key, { values, ...parameters }) {
        return this.#call("UpdateItem", {
            TableName: this.#table,
            Key: render(key),
            ExpressionAttributeValues: render(values),
            ...parameters,
        });
    }
}

// Returns the day of an instant, as the table names it.
export function dayOf(now) {
    return new Date(openPeriod("day", now).start * 1000).toISOString().slice(0, 10);
}

function spanOf({ key }) {
    return JSON.stringify(key);
}

function leftOf(limit, item, now) {
    return Math.max(0, limit.most - stateOf(item, limit, now).used);
}

function addition(kinds) {
    return `ADD ${kinds.flatMap((kind) => UNITS.map((unit) => `${kind}_${unit} :${kind}_${unit}`)).join(", ")}`;
}

function amounts(kind, need) {
    return UNITS.map((unit) => [`:${kind}_${unit}`, need[unit]]);
}

function render(values) {
    const write = (value) => (typeof value === "number" ? { N: String(value) } : { S: value });
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, write(value)]));
}

function parse(item) {
    return Object.fromEntries(Object.entries(item).map(([name, { N, S }]) => [name, N === undefined ? S : Number(N)]));
}
