"""Answers that take minutes: keeps the calls that asked to be answered later, calls, keeps the answers."""
