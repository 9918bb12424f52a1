"""Keeping processes alive: start, wait until ready, restart, stop; nothing here knows what they serve."""
