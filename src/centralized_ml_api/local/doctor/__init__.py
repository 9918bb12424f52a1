"""What stands against serving on this machine, found before it, each with its fix."""

from centralized_ml_api.local.doctor.examine import examine

__all__ = ["examine"]
