"""A deployment of Ray Serve that forwards calls."""
