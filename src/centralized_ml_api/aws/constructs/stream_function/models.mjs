// Loads which endpoint is behind which name: `{name: {endpoint, speaks?, headers?}}`, for every entry.
//
// Entries under /v1 have `speaks`; those whose own path leads here have `headers`. The table is in the
// environment, or in the parameters that the environment names where it does not fit there.

// Source: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
const PARAMETERS_AT_ONCE = 10;

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
    return new Map(texts.flatMap((text) => Object.entries(JSON.parse(text))));
}

async function readParameters(names) {
    const { GetParametersCommand, SSMClient } = await import("@aws-sdk/client-ssm"); // most need none of it
    const client = new SSMClient();
    const values = new Map();
    for (let start = 0; start < names.length; start += PARAMETERS_AT_ONCE) {
        const command = new GetParametersCommand({ Names: names.slice(start, start + PARAMETERS_AT_ONCE) });
        const { Parameters } = await client.send(command);
        for (const { Name, Value } of Parameters) values.set(Name, Value);
    }
    return names.map((name) => values.get(name));
}
