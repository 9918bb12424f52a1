"""JumpStart's catalogue: where its specs are read, and the facts of a model that follow from them, purely."""
