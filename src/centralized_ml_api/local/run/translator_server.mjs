// Translates the calls of one machine: a process of its own, between the gateway and the gateway. Calls of entries with a
// `fallback` come here too: see `fallback_call.mjs`.
//
// The gateway sends it what a model server does not speak, with two headers: what to translate, and the id of the
// call. It calls the model server through the gateway's second listener, where the gateway adds the provider's key: no
// key ever reaches this process. Answers with an error status pass as they are; the gateway rewords them.
//
// Both sockets are in the working folder, which nobody but this user may enter. Source:
// https://nodejs.org/docs/latest-v24.x/api/http.html

import { Agent, createServer, request } from "node:http";
import { rmSync } from "node:fs";

import { Untranslatable, translate } from "../../translator/index.mjs";
import { holdStart } from "../../translator/stream_start.mjs";
import { FallbackCall, hasFallback } from "./fallback_call.mjs";
import { readAll } from "./read_all.mjs";

const OWN_SOCKET = "translator.sock";
const SERVERS_SOCKET = "servers.sock";
const READY = "the translator is ready\n";
const EVENTS = "text/event-stream";
const MOST_HEADER_BYTES = 16 * 1024 * 1024; // the gateway limits callers' own, and names every team that an entry refuses
const UNREADABLE = new Untranslatable(null, "The body cannot be translated: it is nested too deep, or no JSON.");
const EVENTS_HEADERS = { "content-type": EVENTS, "cache-control": "no-cache" };
const JSON_HEADERS = { "content-type": "application/json" };
const OWN_REPLY = "x-mlapi-own-reply";
const PASSED_HEADERS = ["content-type", "retry-after", "x-should-retry", OWN_REPLY];

// A connection for each call: Envoy may close one that is kept just when the next call has been sent.
const agent = new Agent({ keepAlive: false });

const server = createServer({ maxHeaderSize: MOST_HEADER_BYTES }, async (incoming, outgoing) => {
    const id = incoming.headers["x-mlapi-request-id"] ?? "";
    const exchange = hasFallback(incoming.headers)
        ? new FallbackCall(incoming, outgoing)
        : new Exchange(incoming, outgoing, id);
    try {
        await exchange.run();
    } catch {
        exchange.fail(502, "The model's server sent an answer that cannot be read.");
    }
});
server.requestTimeout = 0; // the gateway has its own limits
server.headersTimeout = 0;
server.keepAliveTimeout = 0; // for the same reason, Envoy alone closes connections

class Exchange {
    #incoming;
    #outgoing;
    #id;
    #forward = null;
    #stream = null;

    constructor(incoming, outgoing, id) {
        this.#incoming = incoming;
        this.#outgoing = outgoing;
        this.#id = id;
        outgoing.on("close", () => this.#forward?.destroy());
    }

    async run() {
        const { client, server: spoken, cluster, authority, path, ...options } = JSON.parse(
            this.#incoming.headers["x-mlapi-translation"],
        );
        const translator = translate(client, spoken, options);
        const asked = await readText(this.#incoming);
        let call;
        let body;
        try {
            call = translator.request(JSON.parse(asked));
            body = JSON.stringify(call.body);
        } catch (cause) {
            const refusal = translator.refusal(cause instanceof Untranslatable ? cause : UNREADABLE);
            return this.#sendOwn(refusal.status, refusal.body);
        }
        const answer = await this.#callServer(call, body, { cluster, authority, path });
        if (answer.statusCode >= 300) return this.#passError(answer);
        if (call.streams) return this.#pipe(answer, call);
        return this.#send(200, JSON_HEADERS, JSON.stringify(call.response(JSON.parse(await readText(answer)))));
    }

    // Answers as the gateway itself does: it recognizes the id of the call, and rewords nothing.
    fail(status, message) {
        if (!this.#outgoing.headersSent) {
            const error = { message, type: "model_error", code: "model_failed" };
            return this.#sendOwn(status, { error }, { ...JSON_HEADERS, [OWN_REPLY]: "-" });
        }
        if (this.#stream && !this.#outgoing.writableEnded) this.#outgoing.write(this.#stream.fail(status, message));
        return this.#outgoing.end();
    }

    #callServer({ path: added, streams, streamType }, body, { cluster, authority, path: base }) {
        const path = added ? base.replace(/\/$/, "") + added : base;
        const headers = {
            ...JSON_HEADERS,
            ...(added ? {} : { accept: streams ? streamType : "application/json" }),
            "content-length": Buffer.byteLength(body),
            host: authority,
            "x-mlapi-cluster": cluster,
        };
        return new Promise((resolve, reject) => {
            const options = { agent, headers, method: "POST", path, socketPath: SERVERS_SOCKET };
            this.#forward = request(options, resolve).on("error", reject);
            this.#forward.end(body);
        });
    }

    async #passError(answer) {
        const body = await readText(answer);
        const kept = PASSED_HEADERS.filter((name) => answer.headers[name] !== undefined);
        const headers = Object.fromEntries(kept.map((name) => [name, answer.headers[name]]));
        if (!answer.headers[OWN_REPLY]) return this.#send(answer.statusCode, headers, body);
        return this.#sendOwn(answer.statusCode, JSON.parse(body), headers);
    }

    async #pipe(answer, call) {
        if (!answer.headers["content-type"]?.startsWith(call.streamType)) throw new Error("the server does not stream");
        this.#stream = call.stream();
        try {
            for await (const text of holdStart(this.#stream, this.#translate(answer), (failure) => new NotBegun(failure))) {
                if (!this.#outgoing.headersSent) this.#outgoing.writeHead(200, EVENTS_HEADERS);
                await this.#write(text);
            }
        } catch (cause) {
            if (cause instanceof NotBegun) return this.#refuse(cause.failure);
            throw cause;
        }
        return this.#outgoing.end();
    }

    async *#translate(answer) {
        for await (const bytes of answer) yield this.#stream.push(bytes);
        yield this.#stream.end();
    }

    // Answers as if the server had refused the call; the gateway rewords it. Where a model may have worked, it is told that.
    #refuse({ status, message, isUntouched }) {
        const headers = isUntouched ? JSON_HEADERS : { ...JSON_HEADERS, [OWN_REPLY]: "-" };
        this.#send(status, headers, JSON.stringify({ message }));
    }

    async #write(text) {
        if (!text || this.#outgoing.write(text)) return;
        await new Promise((resolve) => {
            this.#outgoing.once("drain", resolve);
            this.#outgoing.once("close", resolve);
        });
    }

    #sendOwn(status, body, headers = JSON_HEADERS) {
        if (body.type === "error") body.request_id = this.#id;
        else body.error.request_id = this.#id;
        return this.#send(status, { ...headers, "x-request-id": this.#id }, JSON.stringify(body));
    }

    #send(status, headers, body) {
        this.#outgoing.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
        this.#outgoing.end(body);
    }
}

// A stream that has failed before its answer began.
class NotBegun extends Error {
    constructor(failure) {
        super(failure.message);
        this.failure = failure;
    }
}

async function readText(message) {
    return (await readAll(message)).toString("utf8");
}

rmSync(OWN_SOCKET, { force: true }); // of a predecessor
process.umask(0o077);
server.listen(OWN_SOCKET, () => process.stdout.write(READY));
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
