"""Keeps processes alive: starts, probes, restarts and stops them, whatever they serve."""
