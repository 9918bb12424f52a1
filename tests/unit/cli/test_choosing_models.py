"""`mlapi models` narrows down what there is; `mlapi models add` puts one into the config and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.jumpstart import make_spec, write_mirror
from support.local_api import Ran, mlapi

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

WHISPER = "huggingface-asr-whisper-tiny"
GATED = "acme-vlm-gated"
HEAD = ["MODEL", "TASK", "SIZE", "INSTANCE", "USD/H", "LICENCE"]
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
    write_mirror(tmp_path / "mirror", make_spec(model_id=GATED, hosting_eula_key="eula.txt"))
    (tmp_path / "models.json").write_text(MINE)
    return tmp_path


def run(folder: Path, *arguments: str) -> Ran:
    own = {
        "MLAPI_JUMPSTART_MIRROR": str(folder / "mirror"),
        "MLAPI_CACHE": str(folder / "cache"),
        "AWS_REGION": "us-east-1",
    }
    return mlapi("models", *arguments, cwd=folder, environment=own)


def listed(folder: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    ran = run(folder, *arguments, "--json")
    assert ran.status == 0, ran.talk
    return {one["model_id"]: one for one in json.loads(ran.out)}


def test_a_search_finds_tasks_by_what_they_are(folder: Path) -> None:
    found = listed(folder, "speech", "text", "whisper")
    assert WHISPER in found
    assert {one["task"] for one in found.values()} == {"asr"}
    assert found[WHISPER]["instance"] == "ml.g5.2xlarge"
    assert 1 < found[WHISPER]["usd_per_hour"] < 2
    assert found[WHISPER]["accept_eula"] is False


def test_a_price_and_no_licence_leave_out_what_is_not_known(folder: Path) -> None:
    everything = listed(folder)
    cheap = listed(folder, "--max-price", "1.6", "--no-eula")
    assert 0 < len(cheap) < len(everything)
    assert all(one["usd_per_hour"] <= 1.6 and one["accept_eula"] is False for one in cheap.values())
    assert everything[GATED] == {
        "model_id": GATED,
        "task": "vlm",
        "version": "1.2.0",
        "proprietary": False,
        "parameters_billions": None,
        "instance": None,
        "usd_per_hour": None,
        "licence": None,
        "licence_source": None,
        "accept_eula": None,
    }
    said = run(folder, "acme", "--max-price", "1.6").talk
    assert "Left out because not enough is known of them: 1 model" in said


def test_a_size_and_a_licence_narrow_the_list(folder: Path) -> None:
    found = listed(folder, "--min-size", "1", "--max-size", "8", "--licence", "Apache")
    sizes = [one["parameters_billions"] for one in found.values()]
    assert sizes
    assert all(1 <= size <= 8 for size in sizes)
    assert {one["licence"] for one in found.values()} == {"Apache-2.0"}
    assert all(one["licence_source"].startswith("https://") for one in found.values())
    assert GATED not in found


def test_of_what_is_left_out_only_what_might_have_fitted_is_counted_as_unknown(folder: Path) -> None:
    cheap_and_unknown = run(folder, "gated", "--max-size", "8").talk
    assert "Left out because not enough is known of them: 1 model" in cheap_and_unknown
    too_large = run(folder, "falcon-180b-chat", "--max-size", "8", "--licence", "apache").talk
    assert "Left out" not in too_large


def test_show_says_who_says_so(folder: Path) -> None:
    shown = json.loads(run(folder, "show", WHISPER, "--json").out)
    assert shown["parameters_billions"] == 0.039
    assert shown["licence"] == {"name": "MIT", "source": "https://github.com/openai/whisper#license"}


def test_a_list_shows_prices_with_their_region_and_what_is_unknown(folder: Path) -> None:
    ran = run(folder, "--task", "asr")
    head, *rows = ran.out.splitlines()
    assert head.replace("TO ACCEPT", "EULA").split() == [*HEAD, "EULA", "NEWEST"]
    whisper = [WHISPER, "asr", "39M", "ml.g5.2xlarge", "1.52", "MIT", "-"]
    assert any(row.split()[:7] == whisper for row in rows)
    assert "Prices of us-east-1" in ran.talk


def test_an_unknown_task_names_those_that_exist(folder: Path) -> None:
    ran = run(folder, "--task", "talking")
    assert (ran.status, ran.out) == (2, "")
    assert "asr (speech to text)" in ran.talk


def test_a_model_is_added_below_the_others_under_a_free_name(folder: Path) -> None:
    ran = run(folder, "add", WHISPER, "models.json")
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


def test_a_licence_is_never_accepted_for_the_user(folder: Path) -> None:
    ran = run(folder, "add", GATED, "models.json", "--name", "gated", "--integration", "stream")
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
    arguments: tuple[str, ...], status: int, said: str, folder: Path
) -> None:
    model, *flags = arguments
    ran = run(folder, "add", model, "models.json", *flags)
    assert (ran.status, (folder / "models.json").read_text()) == (status, MINE)
    assert said in ran.talk


@pytest.mark.parametrize("name", ["new.json", "new.yaml"])
def test_an_empty_start_takes_a_function_in_front_of_a_model(name: str, folder: Path) -> None:
    (folder / "code").mkdir()
    (folder / "code/index.py").write_text("def lambda_handler(event, context):\n    return {}\n")
    assert mlapi("init", "--empty", name, cwd=folder).status == 0
    ran = run(folder, "add", WHISPER, name, "--integration", "lambda", "--code", "code")
    assert ran.status == 0, ran.talk
    assert mlapi("check", "--offline", name, cwd=folder).out == f"{name}: 1 model, 0 endpoints, no problems\n"
