"""Whether the API's port is free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.ports import check_port
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECK = "port"


def check(port: int) -> Iterator[Finding]:
    """One finding: free, or who holds it."""
    try:
        check_port("127.0.0.1", port)
    except StartError as error:
        yield Finding(CHECK, "error", error.message, fix=error.fix)
    else:
        yield Finding(CHECK, "ok", f"port {port} is free" if port else "a free port will be taken")
