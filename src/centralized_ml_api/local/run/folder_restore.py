"""Somebody may delete the state folder while it is used; `status` and `down` must find us all the same."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LOOK_SECONDS = 1.0


async def keep_folder(
    restore: Callable[[], bool],
    restored: Callable[[], Awaitable[None]],
    say: Callable[[str], None],
    *,
    look_seconds: float = LOOK_SECONDS,
) -> None:
    """Looks again and again, until cancelled.

    Args:
        restore: makes the folder anew where it was deleted, and says whether it was. What the machine refuses
            just now (`OSError`) is tried again at the next look.
        restored: done after that.
        say: takes a sentence when that begins to fail.
        look_seconds: between two looks.

    Raises:
        StartError: as `restore` does: the folder is another's now.
    """
    trouble = ""
    while True:
        await asyncio.sleep(look_seconds)
        before, trouble = trouble, ""
        try:
            if restore():
                await restored()
        except OSError as error:
            trouble = f"the state folder cannot be made anew, which is tried again: {error.strerror or error}"
        if trouble and trouble != before:
            say(trouble)
