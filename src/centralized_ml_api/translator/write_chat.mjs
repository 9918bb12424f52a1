// Writes answers for clients of OpenAI's Chat Completions.
//
// Sources: https://platform.openai.com/docs/api-reference/chat/object and .../chat/streaming; thoughts are in the field
// in which other servers of this API have them: https://api-docs.deepseek.com/guides/reasoning_model

import { renderEvent } from "./server_sent_events.mjs";

const REASONS = { length: "length", tool: "tool_calls", refusal: "content_filter" };

export function writeChatAnswer({ model, parts, reason, usage }, context) {
    const calls = parts.filter(({ type }) => type === "tool");
    const join = (kind) => parts.filter(({ type }) => type === kind).map(({ text }) => text).join("");
    const text = join("text");
    const thoughts = join("thinking");
    const message = {
        role: "assistant",
        content: text || (calls.length ? null : ""),
        refusal: join("refusal") || null,
        ...(thoughts && { reasoning_content: thoughts }),
        ...(calls.length && { tool_calls: calls.map(writeCall) }),
    };
    return {
        ...describe(context, "chat.completion", context.newId("chatcmpl-"), model),
        choices: [{ index: 0, message, logprobs: null, finish_reason: REASONS[reason] ?? "stop" }],
        usage: writeUsage(usage),
    };
}

function describe({ created, model: asked }, object, id, model) {
    return { id, object, created, model: model || asked };
}

function writeCall({ id, name, arguments: text }) {
    return { id, type: "function", function: { name, arguments: text } };
}

function writeUsage({ input = 0, cacheRead = 0, cacheWrite = 0, output = 0, reasoning }) {
    const prompt = input + cacheRead + cacheWrite;
    return {
        prompt_tokens: prompt,
        completion_tokens: output,
        total_tokens: prompt + output,
        prompt_tokens_details: { cached_tokens: cacheRead, ...(cacheWrite && { cache_write_tokens: cacheWrite }) },
        ...(reasoning !== undefined && { completion_tokens_details: { reasoning_tokens: reasoning } }),
    };
}

export class ChatStreamWriter {
    #context;
    #common;
    #calls = 0;

    constructor(context) {
        this.#context = context;
    }

    // Returns the text of an event of `Sequence`.
    write(event) {
        switch (event.type) {
            case "start":
                this.#common = describe(
                    this.#context, "chat.completion.chunk", this.#context.newId("chatcmpl-"), event.model,
                );
                return this.#writeDelta({ role: "assistant", content: "" });
            case "ping":
                return ": ping\n\n";
            case "open":
                return event.block.type === "tool" ? this.#openCall(event.block) : "";
            case "delta":
                return this.#writeText(event);
            case "finish":
                return this.#finish(event);
            case "error":
                return renderEvent(this.#context.writeError(event.error));
            default:
                return "";
        }
    }

    #writeText({ block, text }) {
        if (text === undefined) return ""; // a signature
        if (block.type === "thinking") return this.#writeDelta({ reasoning_content: text });
        if (block.type === "refusal") return this.#writeDelta({ refusal: text });
        if (block.type === "text") return this.#writeDelta({ content: text });
        return this.#writeDelta({ tool_calls: [{ index: this.#calls - 1, function: { arguments: text } }] });
    }

    #openCall({ id, name }) {
        const call = { index: this.#calls, ...writeCall({ id, name, arguments: "" }) };
        this.#calls += 1;
        return this.#writeDelta({ tool_calls: [call] });
    }

    #finish({ reason, usage }) {
        const last = this.#writeDelta({}, REASONS[reason] ?? "stop");
        const report = { ...this.#common, choices: [], usage: writeUsage(usage) };
        return `${last}${this.#context.asked.includeUsage ? renderEvent(report) : ""}data: [DONE]\n\n`;
    }

    #writeDelta(delta, finish = null) {
        return renderEvent({ ...this.#common, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] });
    }
}
