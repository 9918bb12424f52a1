"""What runs as processes of its own beside what is measured: models, and callers."""
