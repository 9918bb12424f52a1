"""Programs that run as processes beside the measured one: models and callers."""
