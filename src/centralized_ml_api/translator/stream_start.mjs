// Holds what a stream begins with until it is sure that there is an answer.

// What servers say that are too busy to begin.
const REFUSALS = [429, 503, 529];

// Yields the texts of a stream as they come, the first once the answer has begun. An error before that is thrown, as
// `refuse({status, message, isUntouched})` makes it: it still has a status, and another server may be asked if no model
// has worked, which `isUntouched` says.
export async function* holdStart(stream, texts, refuse) {
    let held = [];
    for await (const text of texts) {
        held.push(text);
        if (stream.failure && !stream.hasBegun) {
            throw refuse({ ...stream.failure, isUntouched: REFUSALS.includes(stream.failure.status) });
        }
        if (!stream.hasBegun) continue;
        yield* held;
        held = [];
    }
}
