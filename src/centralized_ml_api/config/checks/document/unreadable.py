"""C001: there is no file to read."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C001",
    title="the file cannot be read",
    meaning="""\
There is no file of this name, or it is a folder, a pipe or a device, or you may not read it. Without a
name, the commands read `config/models.json` below the current folder; `mlapi init` writes a file to start
from. Of pipes only `/dev/stdin` and `/dev/fd/…` are read.""",
    example=Example(
        wrong="mlapi check config/modles.json", right="mlapi check config/models.json", suffix=""
    ),
)
