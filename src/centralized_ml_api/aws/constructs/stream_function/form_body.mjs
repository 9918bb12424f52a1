// Reads bodies: JSON objects, and the forms of APIs that take recordings.
//
// Source: https://nodejs.org/docs/latest-v24.x/api/globals.html#response and RFC 7578 (multipart/form-data)

import apis from "./apis.json" with { type: "json" };

import { INVALID_BODY } from "./errors.mjs";
import { readJsonObject } from "./json_body.mjs";

const FORM_TYPE = /^multipart\/form-data\s*;/i;
const EXPECTED = 'The body must be a form (multipart/form-data) with the recording as its "file".';

// Reads the body of a call of this API. Throws INVALID_BODY where it is no JSON object, or no form though its type says so.
export async function readBody(api, { body, headers }) {
    const type = headers["content-type"];
    return apis.forms.includes(api) && FORM_TYPE.test(type) ? readForm(body, type) : readJsonObject(body);
}

async function readForm(bytes, type) {
    const form = await parse(bytes, type);
    const [model, another] = form.getAll("model");
    if (another !== undefined) throw INVALID_BODY.saying('The form has the field "model" twice.');
    if (model !== undefined && typeof model !== "string")
        throw INVALID_BODY.saying('The form must name its model in a field "model" that is a text.');
    return new FormBody(form, model);
}

async function parse(bytes, type) {
    try {
        return await new Response(bytes, { headers: { "content-type": type } }).formData();
    } catch {
        throw INVALID_BODY.saying(EXPECTED);
    }
}

// A form. `document` has what is read of it here.
class FormBody {
    isForm = true;
    #form;

    constructor(form, model) {
        this.#form = form;
        this.document = { model };
    }

    // Returns the form without `model`: its bytes, and its type with the new boundary.
    async encodeWithoutModel() {
        this.#form.delete("model");
        const encoded = new Response(this.#form);
        return { bytes: Buffer.from(await encoded.arrayBuffer()), type: encoded.headers.get("content-type") };
    }
}
