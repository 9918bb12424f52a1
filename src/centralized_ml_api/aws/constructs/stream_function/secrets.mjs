// Reads providers' keys from AWS Secrets Manager, and reads them again: a replaced key counts within a minute, or once the
// provider refuses the old one. No message has a key or a part of it.
//
// Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html

import { callService } from "./aws_call.mjs";
import { MODEL_NOT_READY } from "./errors.mjs";

const FRESH_MILLISECONDS = 60_000;
const REFUSED_MILLISECONDS = 5_000; // between two looks because a key is refused: AWS charges for each
const LONGEST = 16 * 1024;
const SECRET_BYTES = 512 * 1024; // more than AWS's own limit of 64 KiB, escaped as JSON
const KEY = /^[!-~]+$/;
const SERVICE = {
    name: "secretsmanager",
    variable: "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    target: "secretsmanager",
    type: "application/x-amz-json-1.1",
};

// There is no key; `isAway` where that says nothing of the secret: AWS does not answer, or has no time.
class NoKey extends Error {
    constructor(secret, why, isAway = false) {
        super(`the secret ${secret} cannot be read: ${why}`);
        Object.assign(this, { name: "NoKey", asApiError: MODEL_NOT_READY, isAway });
    }
}

const known = new Map(); // by secret: `{at, key?, failure?}`
const refusals = new Map(); // by secret, when it was looked at because its key was refused

// Returns the key that a secret holds, a minute old at most where AWS answers.
export async function loadKey(secret, cancellation) {
    const last = known.get(secret);
    if (!last || Date.now() - last.at >= FRESH_MILLISECONDS) await refresh(secret, cancellation);
    const { key, failure } = known.get(secret);
    if (failure) throw failure;
    return key;
}

// Returns the key that has replaced a refused one, null where none has.
export async function loadReplacement(secret, refused, cancellation) {
    const last = refusals.get(secret) ?? -Infinity;
    if (Date.now() - last < REFUSED_MILLISECONDS) return null;
    refusals.set(secret, Date.now());
    await refresh(secret, cancellation);
    const { key } = known.get(secret);
    return key === refused ? null : (key ?? null);
}

async function refresh(secret, cancellation) {
    known.set(secret, await look(secret, known.get(secret), cancellation));
}

// Keeps the last key while AWS does not answer. A withdrawn key is kept no longer.
async function look(secret, before, cancellation) {
    const at = Date.now();
    try {
        return { at, key: checked(secret, await fetchSecret(secret, cancellation)) };
    } catch (failure) {
        if (failure.isAway === false) return { at, failure };
        return before?.key ? { at, key: before.key } : { at: -Infinity, failure: failure.isAway ? failure : away(secret, failure) };
    }
}

function away(secret, cause) {
    return new NoKey(secret, cause.message, true);
}

async function fetchSecret(secret, cancellation) {
    const region = secret.startsWith("arn:") ? secret.split(":")[3] : process.env.AWS_REGION;
    const { status, text } = await callService(SERVICE, "GetSecretValue", { SecretId: secret }, {
        region,
        cancellation,
        most: SECRET_BYTES,
        tooLarge: new NoKey(secret, "it is too large"),
    });
    return readAnswer(secret, status, text);
}

// Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html
function readAnswer(secret, status, text) {
    let answer;
    try {
        answer = JSON.parse(text);
    } catch {
        throw new NoKey(secret, `AWS answered ${status}`, true);
    }
    if (status === 200) return answer.SecretString;
    const code = String(answer.__type ?? "").split("#").at(-1);
    const isAway = status >= 500 || /Throttling|TooManyRequests|RequestLimitExceeded/.test(code);
    throw new NoKey(secret, code || `AWS answered ${status}`, isAway);
}

function checked(secret, text) {
    if (typeof text !== "string") throw new NoKey(secret, "it is binary, not plain text");
    const key = text.trim();
    if (!key) throw new NoKey(secret, "it is empty");
    if (key.length >= LONGEST || !KEY.test(key)) throw new NoKey(secret, "it holds something else than a key");
    return key;
}
