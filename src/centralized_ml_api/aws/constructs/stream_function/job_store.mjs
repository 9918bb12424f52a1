// Keeps jobs in a table of DynamoDB, where the stack's end takes all of them away.
//
// A job is an item, found by its owner and its id. The bodies of its request and of its answer are items beside it, in
// parts, because an item holds 400 KB. One more item of each owner has the ids of its jobs that are not over: so many may
// be open at once. All changes of a job have conditions, so that nothing runs twice, and nothing that was cancelled is done.
//
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html (the size of items)

import limits from "./jobs.json" with { type: "json" };

export const [QUEUED, RUNNING, DONE, FAILED, CANCELLED] = ["queued", "running", "done", "failed", "cancelled"];

const OPEN_SPAN = "open";
const JOB_SPAN = "job#";
const [REQUEST, ANSWER] = ["request", "answer"];
const PART_BYTES = 350 * 1024;
const PARTS_AT_ONCE = 8;
const REFUSED = "ConditionalCheckFailedException";

// The error of a job of an owner that has as many open as it may.
export class TooManyJobs extends Error {}

// The jobs in a table. `call` calls an operation of DynamoDB and throws an error with the name of its code; `keptSeconds`
// is how long a job is kept, undefined for as long as the table; `now` returns the seconds since the epoch.
export class JobStore {
    #table;
    #call;
    #keptSeconds;
    #now;

    constructor(table, call, keptSeconds, now = () => Date.now() / 1000) {
        this.#table = table;
        this.#call = call;
        this.#keptSeconds = keptSeconds;
        this.#now = now;
    }

    // Keeps a new job: `{id, model, request, body}`, of which `request` is any JSON. Returns it. Throws TooManyJobs.
    async add(owner, { id, model, request, body }) {
        const created = this.#now();
        const now = Math.floor(created);
        const job = {
            ...keyOf(owner, id),
            job_status: QUEUED,
            model_name: model,
            created_at: created, // with its milliseconds, which order the jobs of one second
            over_by: now + limits.queue_seconds + limits.grace_seconds,
            ...(this.#keptSeconds && { expires_at: now + this.#keptSeconds }),
            request_text: JSON.stringify(request),
            request_parts: countParts(body),
        };
        await this.#put(job);
        try {
            await this.#open(owner, id);
            await this.#writeParts(job, id, REQUEST, body);
        } catch (cause) {
            await this.forget(owner, id, job);
            throw cause;
        }
        return job;
    }

    // Begins a job. Returns it, with `request` and `body`; null where it has begun before, was cancelled, or comes so late
    // that its caller was told that it never ran.
    async begin(owner, id) {
        const over = Math.floor(this.#now()) + limits.run_seconds + limits.grace_seconds;
        const changes = { job_status: RUNNING, over_by: over };
        const job = await this.#change(owner, id, [QUEUED], changes, { after: this.#now() });
        if (!job) return null;
        const body = [];
        for await (const part of this.#readParts(job, id, REQUEST)) body.push(part);
        return { ...job, request: JSON.parse(job.request_text), body: Buffer.concat(body) };
    }

    // Keeps the answer of a job, `{head, bytes, isError}`, unless it was cancelled meanwhile.
    async finish(owner, job, id, { head, bytes, isError }) {
        await this.#writeParts(job, id, ANSWER, bytes);
        const parts = countParts(bytes);
        const changes = { job_status: isError ? FAILED : DONE, answer_text: JSON.stringify(head), answer_parts: parts };
        const kept = await this.#change(owner, id, [RUNNING], changes);
        await this.#deleteParts(owner, id, REQUEST, job.request_parts);
        if (!kept) {
            await this.#deleteParts(owner, id, ANSWER, parts);
            await this.#change(owner, id, [CANCELLED], { over_by: 0 });
        }
        await this.close(owner, [id]);
    }

    // Returns a job, null where the owner has none of this id.
    async find(owner, id) {
        const { Item } = await this.#call("GetItem", {
            TableName: this.#table,
            Key: render(keyOf(owner, id)),
            ConsistentRead: true,
        });
        const job = Item && parse(Item);
        return job && !this.#isExpired(job) ? job : null;
    }

    // Returns all jobs of an owner, the newest first.
    async list(owner) {
        const found = [];
        let start;
        do {
            const { Items, LastEvaluatedKey } = await this.#call("Query", {
                TableName: this.#table,
                KeyConditionExpression: "#holder = :holder AND begins_with(#span, :span)",
                ProjectionExpression: "#span, job_status, model_name, created_at, over_by, expires_at",
                ExpressionAttributeNames: { "#holder": "holder", "#span": "span" },
                ExpressionAttributeValues: render({ ":holder": holderOf(owner), ":span": JOB_SPAN }),
                ConsistentRead: true,
                ...(start && { ExclusiveStartKey: start }),
            });
            found.push(...Items.map(parse));
            start = LastEvaluatedKey;
        } while (start);
        return found.filter((job) => !this.#isExpired(job)).sort((left, right) => right.created_at - left.created_at);
    }

    // Yields the body of the answer of a job.
    readAnswer(job) {
        return this.#readParts(job, idOf(job), ANSWER);
    }

    // Cancels a job whose status is one of these. Returns it as it is then, null where it has another.
    async cancel(owner, id, statuses = [QUEUED, RUNNING]) {
        const job = await this.#change(owner, id, statuses, { job_status: CANCELLED }, { returned: "ALL_OLD" });
        if (job?.job_status === QUEUED) {
            await this.#deleteParts(owner, id, REQUEST, job.request_parts);
            await this.close(owner, [id]); // one that runs is open until its model has answered
            await this.#change(owner, id, [CANCELLED], { over_by: 0 });
        }
        return job && { ...job, job_status: CANCELLED };
    }

    // Deletes a job, with all that belongs to it.
    async forget(owner, id, { request_parts: requested = 0, answer_parts: answered = 0 }) {
        await this.#call("DeleteItem", { TableName: this.#table, Key: render(keyOf(owner, id)) });
        await this.#deleteParts(owner, id, REQUEST, requested);
        await this.#deleteParts(owner, id, ANSWER, answered);
        await this.close(owner, [id]);
    }

    // Notes that jobs are over.
    async close(owner, ids) {
        await this.#update(openKeyOf(owner), {
            UpdateExpression: "DELETE open_ids :ids",
            ExpressionAttributeValues: { ":ids": { SS: ids } },
        });
    }

    // Returns whether a job can no longer come to its end: whatever ran it has died, or nothing ever did.
    isLost({ job_status: status, over_by: over }) {
        return [QUEUED, RUNNING].includes(status) && over < this.#now();
    }

    async #open(owner, id) {
        try {
            await this.#openOnce(owner, id);
        } catch (cause) {
            if (cause.name !== REFUSED) throw cause;
            const ids = cause.item.open_ids.SS;
            const jobs = await Promise.all(ids.map((other) => this.find(owner, other)));
            const over = ids.filter((_, index) => !jobs[index] || this.#isOver(jobs[index]));
            if (!over.length) throw new TooManyJobs();
            await this.close(owner, over); // their functions have died
            await this.#openOnce(owner, id).catch((again) => {
                throw again.name === REFUSED ? new TooManyJobs() : again;
            });
        }
    }

    #openOnce(owner, id) {
        return this.#update(openKeyOf(owner), {
            UpdateExpression: "ADD open_ids :ids",
            ConditionExpression: "attribute_not_exists(open_ids) OR size(open_ids) < :most",
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
            ExpressionAttributeValues: { ":ids": { SS: [id] }, ":most": { N: String(limits.most_at_once) } },
        });
    }

    // Returns whether the model of a job that was cancelled may still be at work: then the job holds a place.
    isWorking(job) {
        return job.job_status === CANCELLED && !this.#isOver(job);
    }

    // Whether a job holds no place any more: one that was cancelled while it ran has none once it cannot run any longer.
    #isOver(job) {
        return job.over_by < this.#now() || [DONE, FAILED].includes(job.job_status);
    }

    // Changes a job if its status is one of these, and it is not over by the instant `after`. Returns it, as it was before
    // with `ALL_OLD`; null where it was not changed.
    async #change(owner, id, statuses, changes, { returned = "ALL_NEW", after = 0 } = {}) {
        const names = Object.keys(changes);
        const values = Object.fromEntries(names.map((name) => [`:${name}`, changes[name]]));
        const listed = statuses.map((status, index) => [`:from_${index}`, status]);
        try {
            const { Attributes } = await this.#update(keyOf(owner, id), {
                UpdateExpression: `SET ${names.map((name) => `${name} = :${name}`).join(", ")}`,
                ConditionExpression: `job_status IN (${listed.map(([name]) => name).join(", ")}) AND over_by >= :after`,
                ExpressionAttributeValues: render({ ...values, ...Object.fromEntries(listed), ":after": after }),
                ReturnValues: returned,
            });
            return parse(Attributes);
        } catch (cause) {
            if (cause.name === REFUSED) return null;
            throw cause;
        }
    }

    async #writeParts({ holder, expires_at: expires }, id, kind, bytes) {
        await this.#inTurn(countParts(bytes), (number) => {
            const content = bytes.subarray(number * PART_BYTES, (number + 1) * PART_BYTES);
            const key = { holder, span: partSpan(id, kind, number) };
            return this.#put({ ...key, ...(expires && { expires_at: expires }), content });
        });
    }

    async *#readParts(job, id, kind) {
        for (let number = 0; number < (job[`${kind}_parts`] ?? 0); number += 1) {
            const key = { holder: job.holder, span: partSpan(id, kind, number) };
            const parameters = { TableName: this.#table, Key: render(key), ConsistentRead: true };
            const { Item } = await this.#call("GetItem", parameters);
            yield Buffer.from(Item.content.B, "base64");
        }
    }

    #deleteParts(owner, id, kind, count) {
        return this.#inTurn(count, (number) => {
            const key = { holder: holderOf(owner), span: partSpan(id, kind, number) };
            return this.#call("DeleteItem", { TableName: this.#table, Key: render(key) });
        });
    }

    // Does something for each number below `count`, some at a time.
    async #inTurn(count, act) {
        const numbers = [...Array(count).keys()].values(); // one iterator for all workers
        const worker = async () => {
            for (const number of numbers) await act(number);
        };
        await Promise.all(Array.from({ length: PARTS_AT_ONCE }, worker));
    }

    #isExpired({ expires_at: expires }) {
        return expires !== undefined && expires <= this.#now(); // DynamoDB takes days to delete it
    }

    #put(item) {
        return this.#call("PutItem", { TableName: this.#table, Item: render(item) });
    }

    #update(key, parameters) {
        return this.#call("UpdateItem", { TableName: this.#table, Key: render(key), ...parameters });
    }
}

// Returns the id of a job.
export function idOf({ span }) {
    return span.slice(JOB_SPAN.length);
}

function holderOf(owner) {
    return owner === null ? "everyone" : `team#${owner}`;
}

function keyOf(owner, id) {
    return { holder: holderOf(owner), span: `${JOB_SPAN}${id}` };
}

function openKeyOf(owner) {
    return { holder: holderOf(owner), span: OPEN_SPAN };
}

function partSpan(id, kind, number) {
    return `part#${id}#${kind}#${number}`;
}

function countParts(bytes) {
    return Math.ceil(bytes.length / PART_BYTES);
}

function render(values) {
    const write = (value) => {
        if (typeof value === "number") return { N: String(value) };
        return Buffer.isBuffer(value) ? { B: value.toString("base64") } : { S: value };
    };
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, write(value)]));
}

function parse(item) {
    return Object.fromEntries(Object.entries(item).map(([name, { N, S }]) => [name, N === undefined ? S : Number(N)]));
}
