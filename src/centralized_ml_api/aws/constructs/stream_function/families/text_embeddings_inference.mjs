// Hugging Face's TEI: texts in, a list of vectors out.
//
// Source: https://huggingface.github.io/text-embeddings-inference (POST /embed)

export const textEmbeddingsInference = {
    task: "embeddings",
    build: ({ input }) => ({ inputs: [input].flat() }),
    read: (answer) => answer,
};
