"""TensorZero's gateway, in a process of its own."""
