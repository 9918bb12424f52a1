"""The scenarios, each a file or a package with a `SCENARIO`."""

ORDER = (
    "gateway",
    "instructions",
    "parts",
    "model",
    "lambda_host",
    "start",
    "join",
    "board",
    "sleeping",
    "scale",
    "streams",
    "soak",
    "bad_requests",
    "hostile",
    "fairness",
    "turns",
    "spending",
    "synth",
    "resolver",
)
"""The order on the page and of a full run: what concerns most readers comes first, unlisted ones last."""
