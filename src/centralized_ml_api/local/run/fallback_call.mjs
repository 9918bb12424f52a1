// Answers a call of an entry that has a `fallback`: asks it, and the next one where it fails.
//
// Each entry is called at its own paths through the gateway's third listener, as if by the caller: there it has its own
// turns, limits, rules and keys. The gateway says with each answer whether a server may have worked for it. Its listener
// takes the caller's address from the first line of a connection. Source:
// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt

import { connect } from "node:net";
import { request } from "node:http";
import { pipeline } from "node:stream/promises";

import { askInTurn } from "../../translator/fallback.mjs";
import { readAll } from "./read_all.mjs";

const CALLS_SOCKET = "calls.sock";
const FALLBACK = "x-mlapi-fallback";
const ENDING = "x-mlapi-ending";
const HIDES_USAGE = "x-mlapi-hides-usage";
const SERVED_BY = "x-served-by";
const UNTAKEN = "x-mlapi-untaken";
const OWN_ID = "x-mlapi-request-id";
const CALLER = "x-mlapi-caller";
const CALLERS_TEAM = "x-mlapi-callers-team";
const FOR_US = [OWN_ID, CALLER, CALLERS_TEAM, "connection", "transfer-encoding", "content-length", "host"];
const NOT_PASSED = ["connection", "transfer-encoding", "keep-alive", "date", "x-request-id", ENDING, UNTAKEN];
const FIRST_ERROR = 400;
const CANNOT_TAKE = [400, 413];
const UNAVAILABLE = 503;
const TOO_MANY_REQUESTS = 429;
const NONE = "-";

// Returns whether a call is one of an entry with a `fallback`.
export function hasFallback(headers) {
    return headers[FALLBACK] !== undefined;
}

// Returns what the gateway tells of a call, which it cuts into several headers.
export function readTold(headers) {
    const pieces = Array.from({ length: Number(headers[FALLBACK]) }, (_, index) => headers[`${FALLBACK}-${index + 1}`]);
    return JSON.parse(pieces.join(""));
}

// Reads how the gateway says that a call ended: its flags, whether the translator is unsure, what the admission service
// said, its details. `isUnasked` is whether it was the gateway itself that answered: no server has got the call.
export function readEnding(text, { unsent, sure, refused, unanswered, unasked }) {
    const [flags, unsure, said = "", details = ""] = (text ?? "").split(" ");
    const isUnsent = flags !== NONE && flags.split(",").every((flag) => unsent.includes(flag));
    const isRefused = said.startsWith(refused); // the code of the refusal follows
    const isSure = flags === NONE && unsure !== "true" && (isRefused || sure.includes(details));
    const isUnasked = isUnsent || isRefused || said === unanswered || unasked.includes(details);
    return { isFree: isUnsent || isSure, isRefused, isUnasked };
}

// Returns the first line of a connection, which says who calls; `caller` is an address with its port.
export function buildProxyLine(caller) {
    const [, address, port] = /^\[?(.*?)\]?:(\d+)$/.exec(caller);
    const [kind, local] = address.includes(":") ? ["TCP6", "::1"] : ["TCP4", "127.0.0.1"];
    return `PROXY ${kind} ${address} ${local} ${port} 1\r\n`;
}

export class FallbackCall {
    #incoming;
    #outgoing;
    #forward = null;
    #id;

    constructor(incoming, outgoing) {
        this.#incoming = incoming;
        this.#outgoing = outgoing;
        this.#id = incoming.headers[OWN_ID];
        outgoing.on("close", () => this.#forward?.destroy());
    }

    get #team() {
        const team = this.#incoming.headers[CALLERS_TEAM];
        return team === NONE ? undefined : team || undefined;
    }

    async run() {
        const { headers } = this.#incoming;
        const { attempts, ...endings } = readTold(headers);
        const team = this.#team;
        const asked = new Map(attempts.filter(({ refused }) => !refused.includes(team)).map((each) => [each.name, each.path]));
        const body = await readAll(this.#incoming);
        const told = await askInTurn([...asked.keys()], async (name) => {
            const answer = await this.#call(asked.get(name), body);
            if (answer.statusCode >= FIRST_ERROR) return this.#readFailure(answer, endings);
            this.#writeHead(answer, name);
            await pipeline(answer, this.#outgoing);
            return null;
        });
        if (told === null) return;
        const own = { "content-length": Buffer.byteLength(told.text), "x-request-id": this.#id };
        this.#writeHead(told.answer, told.name, told.isForNow ? { ...own, [UNTAKEN]: "true" } : own);
        this.#outgoing.end(told.text);
    }

    // Breaks off what has begun: its reader must not take it for all.
    fail() {
        this.#outgoing.destroy();
    }

    #call(path, body) {
        const passed = Object.entries(this.#incoming.headers).filter(([name]) => !FOR_US.includes(name) && !name.startsWith(FALLBACK));
        const headers = { ...Object.fromEntries(passed), host: "localhost", "content-length": body.length };
        headers["x-mlapi-attempt"] = "yes";
        if (this.#team) headers["x-mlapi-team"] = this.#team;
        const socket = connect(CALLS_SOCKET);
        socket.write(buildProxyLine(this.#incoming.headers[CALLER]));
        return new Promise((resolve, reject) => {
            const options = { method: "POST", path, headers, createConnection: () => socket };
            this.#forward = request(options, resolve).on("error", reject);
            this.#forward.end(body);
        });
    }

    // An error of the gateway's own has the id of this attempt in it; callers know the whole call's.
    async #readFailure(answer, endings) {
        const { statusCode: status, headers } = answer;
        const text = (await readAll(answer)).toString("utf8");
        const id = headers["x-request-id"];
        const isOurs = Boolean(id) && text.includes(id);
        const { isFree, isRefused, isUnasked } = readEnding(headers[ENDING], endings);
        return {
            status,
            isForNow: status === UNAVAILABLE && isUnasked,
            isFree: isFree && !(isRefused && status === TOO_MANY_REQUESTS), // those are limits of the caller
            isUntaken: isOurs && CANNOT_TAKE.includes(status),
            text: isOurs ? text.replaceAll(id, this.#id) : text,
            answer,
        };
    }

    #writeHead(answer, name, more = {}) {
        const { [HIDES_USAGE]: hides, ...received } = answer.headers;
        const passed = Object.entries(received).filter(([header]) => !NOT_PASSED.includes(header));
        const hidden = hides === "true" ? { [HIDES_USAGE]: hides } : {};
        this.#outgoing.writeHead(answer.statusCode, { ...Object.fromEntries(passed), ...hidden, [SERVED_BY]: name, ...more });
    }
}
