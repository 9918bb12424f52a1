// Reads and writes server-sent events.
//
// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html

const LONGEST_EVENT = 64 * 1024 * 1024;

export class SseDecoder {
    #decoder = new TextDecoder();
    #rest = "";

    // Returns the events that are complete now: {event, data}; a comment, which keeps a connection alive, is {comment}.
    push(bytes) {
        return this.#take(this.#decoder.decode(bytes, { stream: true }));
    }

    // Returns the last event, whose empty line may be missing.
    end() {
        return this.#take(`${this.#decoder.decode()}\n\n`);
    }

    #take(text) {
        const lastReturn = this.#rest.endsWith("\r") ? "\r" : ""; // half of a line end
        const unread = this.#rest.length - lastReturn.length;
        this.#rest = this.#rest.slice(0, unread) + (lastReturn + text).replace(/\r\n/g, "\n");
        const frames = this.#rest.split("\n\n");
        this.#rest = frames.pop();
        if (this.#rest.length > LONGEST_EVENT) throw new Error("an event of the model's server is too long");
        return frames.map(readFrame).filter(Boolean);
    }
}

function readFrame(frame) {
    const event = { event: "", data: "" };
    const data = [];
    let hasComment = false;
    for (const line of frame.split("\n")) {
        const [, name, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
        if (name === "event") event.event = value ?? "";
        else if (name === "data") data.push(value ?? "");
        else if (line.startsWith(":")) hasComment = true;
    }
    if (data.length) return { ...event, data: data.join("\n") };
    return hasComment ? { comment: true } : null;
}

// Returns an event as text; OpenAI's chats have no names.
export function renderEvent(value, name) {
    return `${name ? `event: ${name}\n` : ""}data: ${JSON.stringify(value)}\n\n`;
}
