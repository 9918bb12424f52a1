// Counts tokens for servers that do not, so that every translated answer has `usage`, which clients rely on.

// Texts in English have about four characters a token; counted in bytes, other scripts come out higher.
// Source: https://platform.openai.com/tokenizer
const BYTES_PER_TOKEN = 4;

export function estimateTokens(text) {
    return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

// Returns OpenAI's `usage` of a chat. `counted` has the server's own numbers, as far as it has any.
export function chatUsage({ prompt, completion } = {}, promptText, completionText) {
    const promptTokens = prompt ?? estimateTokens(promptText);
    const completionTokens = completion ?? estimateTokens(completionText);
    return {
        prompt_tokens: promptTokens,
        completion_tokens: completionTokens,
        total_tokens: promptTokens + completionTokens,
    };
}

// Returns OpenAI's `usage` of embeddings.
export function embeddingsUsage(texts) {
    const tokens = texts.map(estimateTokens).reduce((sum, count) => sum + count, 0);
    return { prompt_tokens: tokens, total_tokens: tokens };
}
