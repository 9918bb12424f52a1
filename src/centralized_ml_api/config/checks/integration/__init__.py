"""C2: how a path reaches its model, and the function between."""
