// Reads a message of HTTP to its end.

const MOST_BYTES = 64 * 1024 * 1024; // above what the gateway lets pass

// Returns the bytes of a request or an answer.
export async function readAll(message) {
    const chunks = [];
    let length = 0;
    for await (const chunk of message) {
        length += chunk.length;
        if (length > MOST_BYTES) throw new Error("a body is too large");
        chunks.push(chunk);
    }
    return Buffer.concat(chunks);
}
