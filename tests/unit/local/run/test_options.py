from __future__ import annotations

import errno
from pathlib import Path

from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.run.options import ServeOptions, Terminal


def test_words_that_cannot_be_written_end_nothing() -> None:
    tried: list[object] = []

    def refuse(said: object) -> None:
        tried.append(said)
        raise OSError(errno.ENOSPC, "No space left on device")

    terminal, error = Terminal(refuse, refuse, refuse).that_goes_on(), MlApiError("it failed")
    terminal.talk("a sentence")
    terminal.fail(error)
    assert tried == ["a sentence", error]


def test_it_serves_this_machine_alone_on_the_port_that_the_readme_names() -> None:
    plain = ServeOptions(Path("models.json"), Path(".mlapi"))
    assert (plain.host, plain.port) == ("127.0.0.1", 8080)
    assert (plain.https, plain.public, plain.metrics_port, plain.for_seconds) == (False, False, None, None)
    assert plain.flags == ()
