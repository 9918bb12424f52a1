"""A BentoML service that forwards calls."""
