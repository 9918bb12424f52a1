// Translates between the APIs that clients speak and those that model servers speak. Pure: reads and writes nothing,
// imports nothing but Node and its own folder, so that the streaming function on AWS and the process on one machine
// run the same code.
//
//     const translator = translate("anthropic-messages", "openai-chat", options);
//     const call = translator.request(body);      // the client's body, an object; throws Untranslatable
//     call.body                                   // what the server gets, an object
//     call.streams                                // whether client and server stream
//     call.path                                   // the path there, if only the model and the server tell it; else ""
//     call.streamType                             // the type of the server's stream
//     call.response(answer)                       // the server's whole answer -> the client's, both objects; throws an
//                                                 // Error for what is no answer of that API
//     const stream = call.stream();
//     stream.push(bytes)                          // bytes of the server's stream -> the client's events, as text; they
//                                                 // end with an error where the server's cannot be read
//     stream.pushEvent({contentBlockDelta: {}})   // the same for an event that AWS's SDK has decoded
//     stream.end()                                // what is left; an error event if the answer is not complete
//     stream.fail(status, message)                // the last event of a stream that broke
//     stream.hasBegun                             // whether the client's events tell more than that there is an answer
//     stream.failure                              // {status, message} of a stream that ended with an error; null
//
//     translator.refusal(error)                   // an Untranslatable -> {status: 400, body} in the client's shape
//
// Clients: "openai-chat", "openai-responses", "anthropic-messages". Servers: "openai-chat", "anthropic-messages",
// "bedrock-converse". The client "openai-embeddings" and the server "bedrock-invoke" are for each other alone, and do not
// stream. `canTranslate` says which pairs there are.
//
// Options, all with defaults: `limitKey`, how an OpenAI server names the most tokens of a chat; `takesStreamOptions`,
// whether it reports the tokens of a stream; `maxTokens`, for Anthropic's API where the client names no number;
// `model`, the server's name of the model, which decides what Converse can be asked and is told to nobody;
// `hide(text)`, the words of an error within a stream as the client may read them; `newId(prefix)` and `now()`
// (seconds), for tests.
//
// Bodies of Converse are those of the HTTP API: blobs are base64.
//
// Every client has a `read_` module, from its body to a call, and a `write_` module, from an answer to its body and
// its events; every server has one module for both. What they exchange is described in call.mjs.

import { randomBytes } from "node:crypto";

import { buildConverseBody, buildConversePath, readConverseAnswer, readConverseStream } from "./converse_server.mjs";
import { buildChatBody, readChatAnswer, readChatStream } from "./chat_server.mjs";
import { buildMessagesBody, readMessagesAnswer, readMessagesStream } from "./messages_server.mjs";
import { writeAnthropicError, writeOpenAiError } from "./errors.mjs";
import {
    buildInvokeBody, buildInvokePath, readEmbeddingsCall, readInvokeAnswer, writeEmbeddings,
} from "./embeddings.mjs";
import { EventStreamDecoder, FRAMES_TYPE } from "./event_stream.mjs";
import { readChatCall } from "./read_chat.mjs";
import { readMessagesCall } from "./read_messages.mjs";
import { readResponsesCall } from "./read_responses.mjs";
import { Sequence } from "./sequence.mjs";
import { SseDecoder } from "./server_sent_events.mjs";
import { answerToolName, asFormatted } from "./structured_output.mjs";
import { Untranslatable } from "./untranslatable.mjs";
import { ChatStreamWriter, writeChatAnswer } from "./write_chat.mjs";
import { MessagesStreamWriter, writeMessagesAnswer } from "./write_messages.mjs";
import { ResponsesStreamWriter, writeResponsesAnswer } from "./write_responses.mjs";

export { Untranslatable };

const CLIENTS = {
    "openai-chat": {
        read: readChatCall, write: writeChatAnswer, Writer: ChatStreamWriter, writeError: writeOpenAiError,
    },
    "openai-responses": {
        read: readResponsesCall, write: writeResponsesAnswer, Writer: ResponsesStreamWriter,
        writeError: writeOpenAiError,
    },
    "anthropic-messages": {
        read: readMessagesCall, write: writeMessagesAnswer, Writer: MessagesStreamWriter,
        writeError: writeAnthropicError,
    },
    "openai-embeddings": { read: readEmbeddingsCall, write: writeEmbeddings, writeError: writeOpenAiError, embeds: true },
};

const SERVERS = {
    "openai-chat": { build: buildChatBody, read: readChatAnswer, readStream: readChatStream, Decoder: SseDecoder },
    "anthropic-messages": {
        build: buildMessagesBody, read: readMessagesAnswer, readStream: readMessagesStream, Decoder: SseDecoder,
    },
    "bedrock-converse": {
        build: buildConverseBody, read: readConverseAnswer, readStream: readConverseStream,
        Decoder: EventStreamDecoder, buildPath: buildConversePath, streamType: FRAMES_TYPE,
    },
    "bedrock-invoke": { build: buildInvokeBody, read: readInvokeAnswer, buildPath: buildInvokePath, embeds: true },
};

const EVENTS_TYPE = "text/event-stream";
const NO_WORDS = "The model's server failed.";

const DEFAULTS = {
    limitKey: "max_completion_tokens",
    takesStreamOptions: true,
    maxTokens: 4096,
    model: "",
    hide: (text) => text,
    newId: (prefix) => prefix + randomBytes(12).toString("hex"),
    now: () => Math.floor(Date.now() / 1000),
};

// Returns whether there is a translator of this pair.
export function canTranslate(clientApi, serverApi) {
    const isPair = clientApi !== serverApi && clientApi in CLIENTS && serverApi in SERVERS;
    return isPair && CLIENTS[clientApi].embeds === SERVERS[serverApi].embeds;
}

// Returns the translator of a pair. Throws an Error if there is none.
export function translate(clientApi, serverApi, options = {}) {
    if (!canTranslate(clientApi, serverApi)) throw new Error(`no translator from ${clientApi} to ${serverApi}`);
    const client = CLIENTS[clientApi];
    const settings = { ...DEFAULTS, ...options };
    return {
        request(body) {
            const asked = client.read(body);
            return new Call(client, SERVERS[serverApi], asked, settings);
        },
        refusal: ({ message, field }) => ({
            status: 400,
            body: client.writeError({ status: 400, message, code: "invalid_body", param: field }),
        }),
    };
}

class Call {
    #client;
    #server;
    #asked;
    #context;
    #hide;

    constructor(client, server, asked, settings) {
        this.#client = client;
        this.#server = server;
        this.#asked = asked;
        this.body = server.build(asked, settings);
        this.streams = asked.stream;
        this.path = server.buildPath?.(settings.model, asked.stream) ?? "";
        this.streamType = server.streamType ?? EVENTS_TYPE;
        const { newId, now, hide } = settings;
        const { writeError } = client;
        this.#context = { asked, newId, writeError, model: asked.model, created: now() };
        this.#hide = hide;
    }

    response(answer) {
        const read = this.#server.read(answer);
        return this.#client.write(asFormatted(read, answerToolName(this.#asked)), this.#context);
    }

    stream() {
        const { Decoder, readStream } = this.#server;
        const sequence = new Sequence(answerToolName(this.#asked), this.#context.newId);
        return new Stream(new Decoder(), readStream(), sequence, new this.#client.Writer(this.#context), this.#hide);
    }
}

class Stream {
    #decoder;
    #read;
    #sequence;
    #writer;
    #hide;
    #ended = false;

    constructor(decoder, read, sequence, writer, hide) {
        this.hasBegun = false;
        this.failure = null;
        this.#hide = hide;
        this.#decoder = decoder;
        this.#read = read;
        this.#sequence = sequence;
        this.#writer = writer;
    }

    push(bytes) {
        return this.#readAll(() => this.#decoder.push(bytes));
    }

    pushEvent(event) {
        return this.#readAll(() => [event]);
    }

    end() {
        const rest = this.#readAll(() => this.#decoder.end());
        if (this.#ended) return rest;
        if (this.#sequence.isStopped) return rest + this.#take({ type: "end" });
        return rest + this.fail(502, "The stream of the model's server ended before its answer did.");
    }

    fail(status, message) {
        return this.#take({ type: "error", error: { status, message } });
    }

    #readAll(decode) {
        let text = "";
        try {
            for (const event of decode()) {
                for (const found of this.#read(event)) text += this.#take(found);
            }
            return text;
        } catch {
            return text + this.fail(502, "The model's server sent a stream that cannot be read.");
        }
    }

    // Nothing follows an end or an error.
    #take(event) {
        if (this.#ended) return "";
        this.#ended = event.type === "end" || event.type === "error";
        if (event.type === "error") this.failure = { ...event.error, message: this.#hide(String(event.error.message ?? NO_WORDS)) };
        const told = this.failure ? { ...event, error: this.failure } : event;
        const events = this.#sequence.push(told);
        this.hasBegun ||= events.some(({ type }) => type !== "start" && type !== "error");
        return events.map((next) => this.#writer.write(next)).join("");
    }
}
