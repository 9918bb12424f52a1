"""Opens sessions of botocore that share what was read of AWS's own descriptions.

They are megabytes of JSON: a session that reads them itself takes 50 ms for its first client, any other 8 ms.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.session import Session


def open_session() -> Session:
    """Opens a session with the user's own AWS settings as they are now.

    Raises:
        ModuleNotFoundError: botocore is not installed.
        botocore.exceptions.ProfileNotFound: `AWS_PROFILE` names no profile.
    """
    from botocore.session import Session  # noqa: PLC0415  # only who calls AWS pays

    session = Session()
    session.register_component("data_loader", _make_loader(session.get_config_variable("data_path")))
    return session


@functools.cache
def _make_loader(data_path: str | None) -> Any:
    """Returns what reads the descriptions, the user's own among them: one for all sessions."""
    from botocore.loaders import create_loader  # noqa: PLC0415

    return create_loader(data_path)
