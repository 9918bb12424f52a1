// `POST /{name}` of an entry that streams: its bytes as they are, in and out.

import { callOf, invokeStreaming } from "./invoke.mjs";

export async function passOn(request, model, answer, watch) {
    const call = callOf(request, model.headers);
    const { headers, parts } = await invokeStreaming(model.endpoint, call, watch);
    answer.begin(200, headers);
    await answer.pass(parts);
}
