"""Causes what can go wrong while the API serves, to a real `mlapi up` under load, and counts what it costs.

The scenario `soak` runs it at full length, `tests/end_to_end/test_soak.py` at a short one.
"""
