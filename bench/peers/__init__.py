"""Whom we are measured beside: a folder each, with its lock, its configuration, its application."""
