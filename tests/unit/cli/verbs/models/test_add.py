"""`mlapi models add` puts a model into the config and changes nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.local_api import Ran

    Mlapi = Callable[..., Ran]


WHISPER = "huggingface-asr-whisper-tiny"
GATED = "acme-vlm-gated"
MINE = """\
{
  "models": [
    // ours
    {"name": "whisper-tiny", "model_id": "x", "instance": "ml.g5.xlarge", "integration": {"type": "api"}} // 1
  ]
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models.json").write_text(MINE)
    return tmp_path


def test_a_model_is_added_below_the_others_under_a_free_name(folder: Path, mlapi: Mlapi) -> None:
    ran = mlapi("models", "add", WHISPER, "models.json")
    assert ran.status == 0, ran.talk
    said = f"models.json: POST /whisper-tiny-2 is {WHISPER} on ml.g5.2xlarge, 1.52 USD an hour in us-east-1\n"
    assert ran.out == said
    assert "Next: mlapi check models.json" in ran.talk
    added = f"""\
    {{
      "name": "whisper-tiny-2",
      "model_id": "{WHISPER}",
      "instance": "ml.g5.2xlarge",
      "integration": {{"type": "api"}}
    }}
"""
    wanted = MINE.replace("}} // 1\n", "}}, // 1\n" + added)
    assert (folder / "models.json").read_text() == wanted


def test_a_licence_is_never_accepted_for_the_user(folder: Path, mlapi: Mlapi) -> None:
    ran = mlapi("models", "add", GATED, "models.json", "--name", "gated", "--integration", "stream")
    assert ran.status == 0, ran.talk
    assert '"accept_eula": true' in ran.talk
    assert "eula.txt" in ran.talk
    text = (folder / "models.json").read_text()
    assert '"integration": {"type": "stream"}' in text
    assert "accept_eula" not in text


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("nobody-has-this",), 1, "JumpStart has no model nobody-has-this"),
        ((WHISPER, "--instance", "ml.t2.medium"), 1, f"{WHISPER} is not supported on ml.t2.medium"),
        ((WHISPER, "--name", "whisper-tiny"), 2, "error[C"),
        ((WHISPER, "--name", "health"), 2, "error[C"),
        ((WHISPER, "--integration", "lambda"), 2, "--code functions/example_function"),
        ((WHISPER, "--integration", "lambda", "--code", "nowhere"), 2, "nowhere"),
    ],
)
def test_what_cannot_be_added_leaves_the_config_as_it_was(
    arguments: tuple[str, ...], status: int, said: str, folder: Path, mlapi: Mlapi
) -> None:
    model, *flags = arguments
    ran = mlapi("models", "add", model, "models.json", *flags)
    assert (ran.status, (folder / "models.json").read_text()) == (status, MINE)
    assert said in ran.talk


@pytest.mark.parametrize("name", ["new.json", "new.yaml"])
def test_an_empty_start_takes_a_function_in_front_of_a_model(name: str, folder: Path, mlapi: Mlapi) -> None:
    (folder / "code").mkdir()
    (folder / "code/index.py").write_text("def lambda_handler(event, context):\n    return {}\n")
    assert mlapi("init", "--empty", name).status == 0
    ran = mlapi("models", "add", WHISPER, name, "--integration", "lambda", "--code", "code")
    assert ran.status == 0, ran.talk
    assert mlapi("check", "--offline", name).out == f"{name}: 1 model, 0 endpoints, no problems\n"
