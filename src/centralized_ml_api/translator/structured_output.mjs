// Structured output by a tool: a server that takes no format of answers is given a tool whose input has that format,
// and must call it. Callers get the input as the text of the answer.

const NAME = "answer_in_format";
const ANY_OBJECT = { type: "object" };

// Returns the name of the tool that stands for the answer of a call, if one does; a tool of the caller may have the
// usual name.
export function answerToolName({ format, formatByTool, tools }) {
    if (!format || !formatByTool) return null;
    const taken = new Set(tools.map(({ name }) => name));
    let name = NAME;
    while (taken.has(name)) name += "_";
    return name;
}

// Returns the call with a tool instead of the format.
export function withAnswerTool(call) {
    const { name, description, schema } = call.format;
    const what = [name, description].filter(Boolean).join(": ");
    const tool = {
        name: answerToolName(call),
        description: `Gives the final answer in the format that the user asked for. ${what}`.trim(),
        schema: schema ?? ANY_OBJECT,
    };
    const isAlone = !call.tools.length || call.toolChoice?.type === "none";
    const toolChoice = isAlone ? { type: "tool", name: tool.name } : call.toolChoice;
    return {
        ...call,
        format: undefined,
        tools: isAlone ? [tool] : [...call.tools, tool],
        toolChoice: toolChoice?.type === "tool" ? toolChoice : { type: "any" },
    };
}

// Returns a whole answer in which that tool's input is the text.
export function asFormatted(answer, toolName) {
    if (!toolName) return answer;
    const isAnswer = (part) => part.type === "tool" && part.name === toolName;
    const parts = answer.parts.map((part) =>
        isAnswer(part) ? { type: "text", text: JSON.stringify(part.input) } : part,
    );
    return { ...answer, parts, reason: reasonWithout(answer.reason, parts) };
}

// The same for the events of a stream.
export class AnswerTool {
    #name;
    #keys = new Set();

    constructor(name) {
        this.#name = name;
    }

    // Returns the event that stands for this one; null for none.
    replace(event) {
        if (event.type === "tool" && event.name === this.#name) {
            this.#keys.add(event.key);
            return null;
        }
        if (event.type === "arguments" && this.#keys.has(event.key)) return { type: "text", text: event.text };
        return event;
    }

    reasonOf(reason, parts) {
        return this.#keys.size ? reasonWithout(reason, parts) : reason;
    }
}

function reasonWithout(reason, parts) {
    return reason === "tool" && !parts.some(({ type }) => type === "tool") ? "end" : reason;
}
