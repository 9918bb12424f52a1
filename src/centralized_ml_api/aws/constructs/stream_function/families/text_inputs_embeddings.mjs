// JumpStart's older containers of sentence embeddings.
//
// Source: https://github.com/aws/amazon-sagemaker-examples (JumpStart text embedding notebooks)

export const textInputsEmbeddings = {
    task: "embeddings",
    build: ({ input }) => ({ text_inputs: [input].flat() }),
    read: (answer) => answer?.embedding,
};
