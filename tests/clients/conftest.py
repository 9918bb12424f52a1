"""Collected only where the clients are installed: `make clients` installs them."""

from __future__ import annotations

from support.sdk_programs import are_installed

collect_ignore_glob = [] if are_installed() else ["test_*.py"]
