// A small runtime client that runs a handler as Lambda's own does: it asks the runtime API for events and sends each
// answer, that of a streaming handler as one chunked request. It is started as Lambda starts its own, by environment variables.
//
// What a handler gets and what is sent follow AWS's client, so that this one can take its place in tests. It
// differs in one thing: where the connection of an answer breaks, AWS's ends its process, this one goes on.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html and
// https://github.com/aws/aws-lambda-nodejs-runtime-interface-client (src/stream, src/runtime)

import http from "node:http";
import { json } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const { AWS_LAMBDA_RUNTIME_API, LAMBDA_TASK_ROOT, _HANDLER } = process.env;
const API = `http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const HTTP_ANSWER = "application/vnd.awslambda.http-integration-response";
const DELIMITER = new Uint8Array(8);
const ERROR_TYPE = "Lambda-Runtime-Function-Error-Type";
const ERROR_BODY = "Lambda-Runtime-Function-Error-Body";

// A handler sees these and nothing else of the request under its stream.
const METHODS = ["cork", "destroy", "end", "uncork", "write", "on", "once", "off", "emit", "removeListener"];
const STATES = [
    "destroyed",
    "writable",
    "writableEnded",
    "writableFinished",
    "writableNeedDrain",
    "writableLength",
];

globalThis.awslambda = {
    streamifyResponse: (handler) => Object.assign(handler, { streams: true }),
    HttpResponseStream: {
        from(stream, metadata) {
            stream.setContentType(HTTP_ANSWER);
            stream.beforeFirstWrite = (write) => {
                write(JSON.stringify(metadata));
                write(DELIMITER);
            };
            return stream;
        },
    },
};

const [file, name] = _HANDLER.split(".");
const { [name]: handler } = await import(pathToFileURL(`${LAMBDA_TASK_ROOT}/${file}.mjs`));
for (;;) await serveNext();

async function serveNext() {
    const { headers, event } = await takeNext();
    const deadline = Number(headers["lambda-runtime-deadline-ms"]);
    const id = headers["lambda-runtime-aws-request-id"];
    if (!handler.streams) return serveWhole(id, event, deadline);
    const { stream, request, sent } = openAnswer(id);
    const context = { awsRequestId: id, getRemainingTimeInMillis: () => deadline - Date.now() };
    try {
        await handler(event, stream, context);
        if (!request.destroyed && !request.writableEnded) throw new Error("Response stream is not finished.");
    } catch (error) {
        failAnswer(request, error);
    }
    await sent;
}

// Waits for an event, for as long as that takes: `fetch` gives up after five minutes.
function takeNext() {
    return new Promise((resolve, reject) => {
        const request = http.get(`${API}/invocation/next`, { agent: false }, (response) =>
            json(response).then((event) => resolve({ headers: response.headers, event }), reject),
        );
        request.on("error", reject);
    });
}

// Runs a handler whose answer nobody reads as it comes.
async function serveWhole(id, event, deadline) {
    const context = { awsRequestId: id, getRemainingTimeInMillis: () => deadline - Date.now() };
    const [place, answer] = await handler(event, context).then(
        (value) => ["response", value ?? null],
        (error) => ["error", { errorType: error.name, errorMessage: error.message }],
    );
    const headers = { "Content-Type": "application/json" };
    await fetch(`${API}/invocation/${id}/${place}`, { method: "POST", headers, body: JSON.stringify(answer) });
}

function openAnswer(id) {
    const headers = {
        "Lambda-Runtime-Function-Response-Mode": "streaming",
        "Content-Type": "application/octet-stream",
        "Transfer-Encoding": "chunked",
        Trailer: `${ERROR_TYPE}, ${ERROR_BODY}`,
    };
    const request = http.request(`${API}/invocation/${id}/response`, {
        method: "POST",
        headers,
        agent: false,
    });
    request.on("error", (error) => request.destroy(error));
    request.on("response", (response) => response.resume());
    const sent = new Promise((resolve) => request.on("close", resolve));
    return { stream: facade(request), request, sent };
}

function facade(request) {
    const stream = { beforeFirstWrite: () => {} };
    for (const name of METHODS) stream[name] = request[name].bind(request);
    for (const name of STATES) Object.defineProperty(stream, name, { get: () => request[name] });
    let written = false;
    stream.setContentType = (type) => {
        if (written) throw new Error("Cannot set content-type, too late.");
        request.setHeader("Content-Type", type);
    };
    stream.write = (chunk, ...more) => {
        if (!written) stream.beforeFirstWrite((bytes) => request.write(bytes));
        written = true;
        return request.write(chunk, ...more);
    };
    return stream;
}

function failAnswer(request, error) {
    if (request.destroyed || request.writableEnded) return;
    const body = { errorType: error.name, errorMessage: error.message };
    request.addTrailers({
        [ERROR_TYPE]: error.name,
        [ERROR_BODY]: Buffer.from(JSON.stringify(body)).toString("base64"),
    });
    request.end();
}
