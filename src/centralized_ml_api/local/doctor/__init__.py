"""Finds what would prevent serving on this machine, each with its fix."""

from centralized_ml_api.local.doctor.examine import examine

__all__ = ["examine"]
