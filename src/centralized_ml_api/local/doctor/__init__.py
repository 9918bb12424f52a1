"""What stands against serving on this machine, found before it: one check a file, each with its fix."""

from centralized_ml_api.local.doctor.examine import examine

__all__ = ["examine"]
