// Puts the events of a stream into the order that clients rely on: one block after the other, each opened and closed.
// See call.mjs for both kinds of events.

import { NO_USAGE } from "./call.mjs";
import { AnswerTool } from "./structured_output.mjs";

const TEXTS = new Set(["text", "thinking", "refusal"]);

export class Sequence {
    #answerTool;
    #newId;
    #out = [];
    #started = false;
    #block = null; // the open one
    #parts = [];
    #waiting = []; // what belongs to later blocks, while the arguments of the open one are incomplete
    #stop = null;
    #usage = NO_USAGE;

    constructor(answerToolName, newId) {
        this.#answerTool = new AnswerTool(answerToolName);
        this.#newId = newId;
    }

    get isStopped() {
        return this.#stop !== null;
    }

    // Returns what follows from an event, in order.
    push(event) {
        this.#out = [];
        this.#take(this.#answerTool.replace(event));
        return this.#out;
    }

    #take(event) {
        if (event === null) return;
        if (event.type === "usage" || event.usage) this.#usage = { ...this.#usage, ...event.usage };
        if (!this.#started && event.type !== "error") {
            this.#started = true;
            this.#out.push({ type: "start", model: event.model, usage: this.#usage });
        }
        if (event.type === "stop") this.#stop = event;
        else if (event.type === "end") this.#finish();
        else if (event.type === "error" || event.type === "ping") this.#out.push(event);
        else if (event.type !== "start" && event.type !== "usage") this.#place(event);
    }

    // Servers may send the arguments of several tools by turns.
    #place(event) {
        if (this.#isOfOpenBlock(event)) this.#extend(event);
        else if (this.#isIncomplete()) this.#waiting.push(event);
        else this.#open(event);
        if (!this.#waiting.length || this.#isIncomplete()) return;
        for (const waiting of this.#waiting.splice(0)) this.#place(waiting);
    }

    #isOfOpenBlock({ type, key }) {
        if (type === "complete") return this.#block?.key === key;
        if (type === "signature") return this.#block?.type === "thinking";
        if (type === "arguments") return this.#block?.key === key;
        return TEXTS.has(type) && this.#block?.type === type;
    }

    // The arguments of a tool are complete once the server says so, or once they are JSON.
    #isIncomplete() {
        if (this.#block?.type !== "tool" || this.#block.isComplete) return false;
        try {
            JSON.parse(this.#block.arguments);
            return false;
        } catch {
            return true;
        }
    }

    #extend({ type, text, signature }) {
        const block = this.#block;
        if (type === "complete") block.isComplete = true;
        else if (type === "signature") block.signature += signature;
        else if (type === "arguments") block.arguments += text;
        else block.text += text;
        const delta = type === "signature" ? { signature } : { text };
        if (!delta.signature && !delta.text) return;
        this.#out.push({ type: "delta", index: this.#parts.length - 1, block, ...delta });
    }

    #open(event) {
        const { type, key, id, name, data } = event;
        if (type === "complete") return; // of a block whose text says so
        if (type === "arguments") throw new Error("the model's server sent arguments of a tool that it did not name");
        this.#close();
        if (type === "tool") this.#block = { type, key, id: id || this.#newId("call_"), name, arguments: "" };
        else if (type === "redacted") this.#block = { type, data };
        else if (type === "text" || type === "refusal") this.#block = { type, text: "" };
        else this.#block = { type: "thinking", text: "", signature: "" };
        this.#parts.push(this.#block);
        this.#out.push({ type: "open", index: this.#parts.length - 1, block: this.#block });
        if (type !== "tool" && type !== "redacted") this.#extend(event);
    }

    // Arguments are an object, even where nothing is written of it.
    #close() {
        const { type, key, arguments: written } = this.#block ?? {};
        if (type === "tool" && !written) this.#extend({ type: "arguments", key, text: "{}" });
        if (this.#block) this.#out.push({ type: "close", index: this.#parts.length - 1, block: this.#block });
        this.#block = null;
    }

    #finish() {
        while (this.#waiting.length) this.#placeLast();
        this.#close();
        const { reason, sequence } = this.#stop ?? { reason: "end" };
        const finish = { type: "finish", reason: this.#answerTool.reasonOf(reason, this.#parts), sequence };
        this.#out.push({ ...finish, usage: this.#usage, parts: this.#parts });
    }

    // Places the first block that waits, and all that belongs to it: no more of the arguments before it will come.
    #placeLast() {
        const [{ key }] = this.#waiting;
        const own = key === undefined ? this.#waiting.slice(0, 1) : this.#waiting.filter((event) => event.key === key);
        this.#waiting = this.#waiting.filter((event) => !own.includes(event));
        for (const event of own) {
            if (this.#isOfOpenBlock(event)) this.#extend(event);
            else this.#open(event);
        }
    }
}
