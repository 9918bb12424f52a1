"""The verbs of `mlapi`, one a file, each imported only when it is used."""
