// Runs a ledger whose calls of DynamoDB are told to another process, which answers them in any order, or never.
//
// Reads a command a line: `{reset}`, `{now, reserve: {name, limits, need}}`, `{settle: {name, spent}}`, and
// `{answer: {id, result}}` or `{answer: {id, code, item}}`. Writes a line for each: the new calls of DynamoDB, and which
// reservations have ended and how.

import readline from "node:readline";

const { Ledger, ShortageError } = await import(process.argv[2]);

const waiting = new Map();
let now, count, asked, ended, held, ledger;

function call(operation, parameters) {
    const { promise, resolve, reject } = Promise.withResolvers();
    const id = (count += 1);
    waiting.set(id, { resolve, reject });
    asked.push({ id, operation, parameters });
    return promise;
}

function reset() {
    waiting.clear();
    [count, asked, ended, held] = [0, [], [], new Map()];
    ledger = new Ledger("spending", call, () => now);
}

async function reserve({ name, limits, need }) {
    try {
        const { accounts, left } = await ledger.reserve(limits, need);
        held.set(name, { accounts, need });
        ended.push({ name, accounts: accounts.map(({ key }) => key), left: left.map(([, amount]) => amount) });
    } catch (cause) {
        ended.push({ name, isShort: cause instanceof ShortageError, failure: cause.message });
    }
}

function settle({ name, spent }) {
    const { accounts, need } = held.get(name);
    ledger.settle(accounts, need, spent);
}

function answer({ id, result, code, item }) {
    const { resolve, reject } = waiting.get(id);
    if (result) resolve(result);
    else reject(Object.assign(new Error(code), { name: code, item }));
}

for await (const line of readline.createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    now = command.now ?? now;
    if (command.reset) reset();
    if (command.reserve) reserve(command.reserve);
    if (command.settle) settle(command.settle);
    if (command.answer) answer(command.answer);
    await new Promise(setImmediate);
    console.log(JSON.stringify({ asked, ended }));
    [asked, ended] = [[], []];
}
