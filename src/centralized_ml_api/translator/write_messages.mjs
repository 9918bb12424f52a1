// Writes answers for clients of Anthropic's Messages.
//
// Sources: https://platform.claude.com/docs/en/api/messages and
// https://platform.claude.com/docs/en/build-with-claude/streaming

import { renderEvent } from "./server_sent_events.mjs";

const REASONS = {
    length: "max_tokens",
    pause: "pause_turn",
    refusal: "refusal",
    sequence: "stop_sequence",
    tool: "tool_use",
};

export function writeMessagesAnswer({ model, parts, reason, sequence, usage }, context) {
    const shown = parts.filter((part) => isShown(part, context));
    return {
        ...describe(context, model),
        content: shown.map((part) => writeBlock(part, context)),
        stop_reason: stopReason(reason, parts),
        stop_sequence: sequence ?? null,
        usage: writeUsage(usage),
    };
}

function describe({ newId, model: asked }, model) {
    return { id: newId("msg_"), type: "message", role: "assistant", model: model || asked };
}

// Thoughts are for clients that asked for some. Where they want none to read, a signature may still have to come back.
function isShown({ type }, { asked: { thinking } }) {
    return (type !== "thinking" && type !== "redacted") || (thinking !== undefined && thinking.type !== "disabled");
}

function stopReason(reason, parts) {
    if (parts.some(({ type }) => type === "refusal")) return "refusal";
    return REASONS[reason] ?? "end_turn";
}

function writeBlock(part, { asked: { thinking } }) {
    switch (part.type) {
        case "thinking":
            return { type: "thinking", thinking: thinking.shown ? part.text : "", signature: part.signature };
        case "redacted":
            return { type: "redacted_thinking", data: part.data };
        case "tool":
            return { type: "tool_use", id: part.id, name: part.name, input: part.input };
        default:
            return { type: "text", text: part.text };
    }
}

function writeUsage({ input = 0, cacheRead = 0, cacheWrite = 0, output = 0 }) {
    return {
        input_tokens: input,
        cache_creation_input_tokens: cacheWrite,
        cache_read_input_tokens: cacheRead,
        output_tokens: output,
    };
}

export class MessagesStreamWriter {
    #context;
    #started = false;
    #count = 0; // of the blocks that are shown

    constructor(context) {
        this.#context = context;
    }

    // Returns the text of an event of `Sequence`.
    write(event) {
        switch (event.type) {
            case "start":
                this.#started = true;
                return this.#start(event);
            case "ping":
                return this.#started ? renderNamed({ type: "ping" }) : "";
            case "open":
                return this.#open(event.block);
            case "delta":
                return this.#isShown(event.block) ? this.#writeDelta(event) : "";
            case "close":
                if (!this.#isShown(event.block)) return "";
                this.#count += 1;
                return renderNamed({ type: "content_block_stop", index: this.#count - 1 });
            case "finish":
                return this.#finish(event);
            default:
                return renderNamed(this.#context.writeError(event.error));
        }
    }

    #isShown(block) {
        return isShown(block, this.#context);
    }

    #start({ model, usage }) {
        const message = {
            ...describe(this.#context, model),
            content: [],
            stop_reason: null,
            stop_sequence: null,
            usage: writeUsage(usage),
        };
        return renderNamed({ type: "message_start", message });
    }

    #open(block) {
        if (!this.#isShown(block)) return "";
        const content = writeBlock({ ...block, text: "", signature: "", input: {} }, this.#context);
        return renderNamed({ type: "content_block_start", index: this.#count, content_block: content });
    }

    #writeDelta({ block, text, signature }) {
        const isHidden = block.type === "thinking" && signature === undefined && !this.#context.asked.thinking.shown;
        if (isHidden) return "";
        let delta = { type: "text_delta", text };
        if (signature !== undefined) delta = { type: "signature_delta", signature };
        else if (block.type === "thinking") delta = { type: "thinking_delta", thinking: text };
        else if (block.type === "tool") delta = { type: "input_json_delta", partial_json: text };
        return renderNamed({ type: "content_block_delta", index: this.#count, delta });
    }

    #finish({ reason, sequence, usage, parts }) {
        const delta = { stop_reason: stopReason(reason, parts), stop_sequence: sequence ?? null };
        const last = renderNamed({ type: "message_delta", delta, usage: writeUsage(usage) });
        return last + renderNamed({ type: "message_stop" });
    }
}

function renderNamed(event) {
    return renderEvent(event, event.type);
}
