// Loads the table of all entries: `{name: {endpoint, component?, speaks?, headers?, max_output_tokens?, aliases?}}`, where
// entries of providers have `provider` instead of `endpoint` and `speaks`.
//
// An entry that may sleep has `component`: the inference component of its endpoint, which every call names.
//
// Entries under /v1 have `speaks`, `max_output_tokens` if the config limits their answers, and `aliases`, by which they
// may be named too; those whose own path leads here have `headers`. `fallback` names the entries that are asked where one
// fails. The table is in an environment variable, or, where it is too large for one, in the SSM parameters that another
// variable lists.
//
// A provider is `{url, model, apis, secret?, header?, prefix?, adds?, limit_key?, counts?, check?}`: its address and its
// name of the model; the APIs that the model has there, the first of which the entry's own path has; the secret that holds
// the key, and the header that takes it, after a prefix; other headers that its API needs; how a chat names the most
// tokens of an answer; whether a stream can be asked for its tokens; the path that answers to a valid key, if it is not
// /models.
//
// An entry of Bedrock has `bedrock`: `{model, region, apis, converse?}`, from which a provider is made whose calls are
// `signed` for that region, and translated to Converse, or pass to Bedrock's Chat Completions.

import { findServiceUrl } from "./aws_signing.mjs";

// Source: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
const PARAMETERS_PER_REQUEST = 10;

let models;

export function loadModels() {
    models ??= read().catch((cause) => {
        models = undefined; // the next request tries again
        throw new Error(`The models could not be read: ${cause.message}`, { cause });
    });
    return models;
}

async function read() {
    const { MODELS, MODEL_PARAMETERS } = process.env;
    const texts = MODELS ? [MODELS] : await readParameters(JSON.parse(MODEL_PARAMETERS));
    const rows = texts.flatMap((text) => Object.entries(JSON.parse(text)));
    return new Map(rows.map(([name, row]) => [name, row.bedrock ? { ...row, provider: ofBedrock(row.bedrock) } : row]));
}

// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html
function ofBedrock({ model, region, apis, converse }) {
    const host = findServiceUrl("bedrock-runtime", region, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME");
    const url = converse ? host : `${host}/openai/v1`;
    return { url, model, apis, converse, signed: region, counts: true, limit_key: "max_completion_tokens" };
}

async function readParameters(names) {
    const { GetParametersCommand, SSMClient } = await import("@aws-sdk/client-ssm"); // most deployments do not need it
    const client = new SSMClient();
    const values = new Map();
    for (let start = 0; start < names.length; start += PARAMETERS_PER_REQUEST) {
        const command = new GetParametersCommand({ Names: names.slice(start, start + PARAMETERS_PER_REQUEST) });
        const { Parameters } = await client.send(command);
        for (const { Name, Value } of Parameters) values.set(Name, Value);
    }
    return names.map((name) => values.get(name));
}
