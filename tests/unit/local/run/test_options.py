from __future__ import annotations

import errno

from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.run.options import Terminal


def test_words_that_cannot_be_written_end_nothing() -> None:
    tried: list[object] = []

    def refuse(said: object) -> None:
        tried.append(said)
        raise OSError(errno.ENOSPC, "No space left on device")

    terminal, error = Terminal(refuse, refuse, refuse).that_goes_on(), MlApiError("it failed")
    terminal.talk("a sentence")
    terminal.fail(error)
    assert tried == ["a sentence", error]
