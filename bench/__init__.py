"""Measurements: how fast, how much, how it fails, beside what people would use instead. See `README.md`.

Imports go one way: `__main__` and `page` over `scenarios` over the other modules.
"""
