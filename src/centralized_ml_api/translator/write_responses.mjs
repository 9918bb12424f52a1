// Writes answers for clients of OpenAI's Responses.
//
// Sources: https://platform.openai.com/docs/api-reference/responses/object and
// https://platform.openai.com/docs/api-reference/responses-streaming

import { renderEvent } from "./server_sent_events.mjs";

const INCOMPLETE = { length: "max_output_tokens", refusal: "content_filter" };
const ERROR_CODES = { 400: "invalid_prompt", 429: "rate_limit_exceeded" };

export function writeResponsesAnswer({ model, parts, reason, usage }, context) {
    const response = describe(context, model);
    const output = parts.flatMap((part) => writeItems(part, context));
    return { ...response, ...endOf(context, reason, usage), output };
}

// Nothing is stored: no answer can be continued by its id.
function describe({ asked, created, model: known, newId }, model) {
    return {
        id: newId("resp_"),
        object: "response",
        created_at: created,
        status: "in_progress",
        background: false,
        error: null,
        incomplete_details: null,
        instructions: null,
        max_output_tokens: null,
        metadata: {},
        model: model || known,
        output: [],
        parallel_tool_calls: true,
        previous_response_id: null,
        reasoning: { effort: null, summary: null },
        store: false,
        temperature: null,
        text: { format: { type: "text" } },
        tool_choice: "auto",
        tools: [],
        top_p: null,
        truncation: "disabled",
        usage: null,
        ...asked.echo,
    };
}

function endOf({ created }, reason, usage) {
    const why = INCOMPLETE[reason];
    return {
        status: why ? "incomplete" : "completed",
        ...(why ? { incomplete_details: { reason: why } } : { completed_at: created }),
        usage: writeUsage(usage),
    };
}

function writeUsage({ input = 0, cacheRead = 0, cacheWrite = 0, output = 0, reasoning = 0 }) {
    const all = input + cacheRead + cacheWrite;
    return {
        input_tokens: all,
        input_tokens_details: { cached_tokens: cacheRead, cache_write_tokens: cacheWrite },
        output_tokens: output,
        output_tokens_details: { reasoning_tokens: reasoning },
        total_tokens: all + output,
    };
}

// Returns the item of a block of an answer; none for thoughts that nobody can read.
function writeItems(block, context) {
    if (block.type === "redacted") return [];
    return [finishItem(openItem(block, context), block)];
}

function openItem({ type, id, name }, { newId, asked }) {
    if (type === "tool") {
        const known = asked.namespaces.get(name) ?? { name };
        return { id: newId("fc_"), type: "function_call", status: "in_progress", arguments: "", call_id: id, ...known };
    }
    const begun = { status: "in_progress", content: [] };
    if (type === "thinking") return { id: newId("rs_"), type: "reasoning", summary: [], ...begun };
    return { id: newId("msg_"), type: "message", role: "assistant", ...begun };
}

function finishItem(item, block) {
    const done = { ...item, status: "completed" };
    return block.type === "tool" ? { ...done, arguments: block.arguments } : { ...done, content: [writePart(block)] };
}

function writePart({ type, text }) {
    if (type === "thinking") return { type: "reasoning_text", text };
    if (type === "refusal") return { type, refusal: text };
    return { type: "output_text", annotations: [], logprobs: [], text };
}

// What the events of a kind of block are called, and where they have its text.
const KINDS = {
    text: { name: "response.output_text", key: "text", extra: { logprobs: [] } },
    refusal: { name: "response.refusal", key: "refusal", extra: {} },
    thinking: { name: "response.reasoning_text", key: "text", extra: {} },
    tool: { name: "response.function_call_arguments", key: "arguments", extra: {} },
};

export class ResponsesStreamWriter {
    #context;
    #response = null;
    #sequence = 0;
    #item = null; // the open one
    #output = [];

    constructor(context) {
        this.#context = context;
    }

    // Returns the text of an event of `Sequence`.
    write(event) {
        switch (event.type) {
            case "start":
                this.#response = describe(this.#context, event.model);
                return this.#render("response.created", { response: this.#response })
                    + this.#render("response.in_progress", { response: this.#response });
            case "ping":
                return ": ping\n\n";
            case "open":
                return this.#open(event.block);
            case "delta":
                return event.text === undefined ? "" : this.#writeDelta(event);
            case "close":
                return this.#close(event.block);
            case "finish":
                return this.#finish(event);
            default:
                return this.#fail(event.error);
        }
    }

    #render(type, members) {
        const numbered = { type, sequence_number: this.#sequence, ...members };
        this.#sequence += 1;
        return renderEvent(numbered, type);
    }

    // Where an event belongs: in which item, and there in which part.
    #at({ type }) {
        const item = { item_id: this.#item.id, output_index: this.#output.length };
        return type === "tool" ? item : { ...item, content_index: 0 };
    }

    #open(block) {
        if (block.type === "redacted") return "";
        this.#item = openItem(block, this.#context);
        const added = { output_index: this.#output.length, item: this.#item };
        const opened = this.#render("response.output_item.added", added);
        if (block.type === "tool") return opened;
        const part = writePart({ ...block, text: "" });
        return opened + this.#render("response.content_part.added", { ...this.#at(block), part });
    }

    #writeDelta({ block, text }) {
        const { name, extra } = KINDS[block.type];
        return this.#render(`${name}.delta`, { ...this.#at(block), delta: text, ...extra });
    }

    #close(block) {
        if (block.type === "redacted") return "";
        const { name, key, extra } = KINDS[block.type];
        const said = { [key]: block.type === "tool" ? block.arguments : block.text, ...extra };
        const own = block.type === "tool" ? { name: this.#item.name } : {};
        let closed = this.#render(`${name}.done`, { ...this.#at(block), ...own, ...said });
        if (block.type !== "tool") {
            closed += this.#render("response.content_part.done", { ...this.#at(block), part: writePart(block) });
        }
        const item = finishItem(this.#item, block);
        closed += this.#render("response.output_item.done", { output_index: this.#output.length, item });
        this.#output.push(item);
        return closed;
    }

    #finish({ reason, usage }) {
        const end = endOf(this.#context, reason, usage);
        const response = { ...this.#response, ...end, output: this.#output };
        return this.#render(`response.${end.status}`, { response });
    }

    #fail({ status, message }) {
        const error = { code: ERROR_CODES[status] ?? "server_error", message };
        const response = this.#response ?? describe(this.#context, undefined);
        const failed = { ...response, status: "failed", error, output: this.#output };
        return this.#render("response.failed", { response: failed });
    }
}
