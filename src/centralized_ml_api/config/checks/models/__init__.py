"""C1: models, endpoints and their names."""
