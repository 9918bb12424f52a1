"""What stands against a deploy, found before it: one check a file, each with its fix."""

from centralized_ml_api.aws.doctor.examine import examine

__all__ = ["examine"]
