// Calls services of AWS that take JSON, with the function's own credentials.
//
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html

import { findServiceUrl, signHeaders } from "./aws_signing.mjs";
import { readAll, send } from "./https_call.mjs";

// Calls an operation. Returns the status and the text of the answer; throws `tooLarge` above `most` bytes. A service is
// `{name, variable, target, type}`: its name in its host and in signatures, the variable that may name another place, and
// what its calls have as target and type.
export async function callService(service, operation, parameters, { region, cancellation, most, tooLarge }) {
    const url = new URL(findServiceUrl(service.name, region, service.variable));
    const body = JSON.stringify(parameters);
    const headers = {
        "content-length": String(Buffer.byteLength(body)),
        "content-type": service.type,
        "x-amz-target": `${service.target}.${operation}`,
    };
    const signed = signHeaders({ method: "POST", url, headers, body, service: service.name, region });
    const response = await send(url, { headers: signed, body, signal: cancellation.signal });
    const bytes = await readAll(response, cancellation, most, tooLarge);
    return { status: response.statusCode, text: bytes.toString("utf8") };
}
