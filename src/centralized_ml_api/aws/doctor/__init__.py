"""Finds before a deploy what would prevent it, each with its fix."""
