// Answers every path that is no resource of the API: `/{name}/v1/...`, which SDKs take as a base address, and 404 for all
// else. The path names the entry, so a body needs no `model`.

import apis from "./apis.json" with { type: "json" };
import others from "./other_paths.json" with { type: "json" };

import { METHOD_NOT_ALLOWED, MODEL_NOT_FOUND, NOT_ALLOWED, UNKNOWN_PATH } from "./errors.mjs";
import { readBody } from "./form_body.mjs";
import { answerEntry } from "./openai.mjs";

const BELOW_ENTRY = /^\/([^/]+)(\/v1\/.+)$/;
const CALLING = ["POST", "OPTIONS"];
const READING = ["GET", "HEAD", "OPTIONS"];

// Returns what a request asks for, as `findCall` does.
export async function findOtherCall(request, models) {
    const [, name = "", path = ""] = BELOW_ENTRY.exec(request.path) ?? [];
    if (!Object.hasOwn(others.models, name)) throw unknownPath();
    if (request.refused.includes(name)) throw NOT_ALLOWED;
    const model = others.models[name];
    if (path === others.list || path.startsWith(`${others.list}/`)) {
        const text = renderReading(path, model, request);
        return { name, run: (answer) => answer.send(200, { "content-type": "application/json" }, text) };
    }
    if (!model.routes.includes(path)) throw request.method === "POST" ? elsewhere(name, model) : unknownPath();
    checkMethod(request, CALLING);
    const api = apis.by_path[path];
    const body = await readBody(api, request);
    const run = (answer, cancellation) => answerEntry({ api, path, name, request, models, body, answer, cancellation });
    return { name, run };
}

// Returns the list, which has the entry alone, or the entry.
function renderReading(path, model, request) {
    const { id } = model;
    const isList = path === others.list;
    if (!isList && path !== `${others.list}/${id}`) throw MODEL_NOT_FOUND.withMessage("listing", { models: id });
    checkMethod(request, READING);
    const list = { object: "list", data: [model], has_more: false, first_id: id, last_id: id };
    return request.method === "HEAD" ? "" : JSON.stringify(isList ? list : model);
}

function checkMethod({ method }, methods) {
    if (methods.includes(method)) return;
    const allow = methods.join(", ");
    throw Object.assign(METHOD_NOT_ALLOWED.withMessage("listing", { methods: allow }), { allow });
}

function elsewhere(name, { routes }) {
    const paths = routes.map((route) => `POST /${name}${route}`).join(", ");
    return MODEL_NOT_FOUND.withMessage("elsewhere", { paths, models: name });
}

function unknownPath() {
    return UNKNOWN_PATH.withMessage("listing", { paths: others.calls.join(", ") });
}
