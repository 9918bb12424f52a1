"""One file a scenario, or a package: what is measured is its `SCENARIO`."""

ORDER = ("gateway", "model", "lambda_host", "start", "soak", "fairness", "synth", "resolver")
"""On the page, and when all are run: what concerns most readers first. Others follow."""
