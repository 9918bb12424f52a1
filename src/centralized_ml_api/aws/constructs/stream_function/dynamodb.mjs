// Calls DynamoDB. An operation is sent again only where it is sure that it was not carried out: what is added twice would be
// counted twice.
//
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html

import { setTimeout as pause } from "node:timers/promises";

import { callService } from "./aws_call.mjs";

const SERVICE = {
    name: "dynamodb",
    variable: "AWS_ENDPOINT_URL_DYNAMODB",
    target: "DynamoDB_20120810",
    type: "application/x-amz-json-1.0",
};
const TIMEOUT_MILLISECONDS = 3_000;
const ATTEMPTS = 4;
const FIRST_PAUSE_MILLISECONDS = 50;
const ANSWER_BYTES = 2 * 1024 * 1024; // more than the megabyte that a query answers at once
const THROTTLED = ["ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"];

// The error of an operation that DynamoDB has refused, by its code; `item` is the one that a condition did not hold for.
export class Refused extends Error {
    constructor(code, message, item) {
        super(message);
        Object.assign(this, { name: code, item });
    }
}

// Returns what an operation answers. Throws Refused where it was not carried out, and other errors where nobody knows.
// Whether or not the caller is still there, an operation comes to its end.
export async function callDynamoDb(operation, parameters) {
    for (let attempt = 1; ; attempt += 1) {
        try {
            return await callOnce(operation, parameters);
        } catch (cause) {
            if (!THROTTLED.includes(cause.name) || attempt === ATTEMPTS) throw cause;
            await pause(FIRST_PAUSE_MILLISECONDS * 2 ** attempt * Math.random());
        }
    }
}

async function callOnce(operation, parameters) {
    const cancellation = { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS), startIdleTimer() {}, stopIdleTimer() {} };
    const { status, text } = await callService(SERVICE, operation, parameters, {
        region: process.env.AWS_REGION,
        cancellation,
        most: ANSWER_BYTES,
        tooLarge: new Error("the answer of DynamoDB is too large"),
    });
    if (status === 200) return JSON.parse(text);
    if (status >= 500) throw new Error(`DynamoDB answered ${status}`);
    const { __type: type, message, Message, Item } = JSON.parse(text);
    throw new Refused(String(type).split("#").at(-1), message ?? Message, Item);
}
