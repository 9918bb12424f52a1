"""Who called what, how often and how fast: the table of `mlapi usage` and the report. Pure."""
