"""`models`, `models show`, `lock`, `check` of JumpStart models: what they print where, and how they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.catalog.facts import ModelFacts
from centralized_ml_api.catalog.own_region import find_region
from support.jumpstart import CPU, GPU_IMAGE, make_spec, write_mirror

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Mlapi = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.slow

TINY = "acme-textgeneration-tiny"
SHIPPED = "huggingface-textgeneration-open-llama"


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    gated = make_spec(model_id="acme-vlm-gated", hosting_eula_key="eula.txt")
    return write_mirror(tmp_path / "mirror", make_spec(), gated)


@pytest.fixture
def mlapi(tmp_path: Path, mirror: Path) -> Mlapi:
    """Runs the command line in an empty folder, with a mirror and without anything of the user's."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    environment = own | {
        "MLAPI_JUMPSTART_MIRROR": str(mirror),
        "MLAPI_CACHE": str(tmp_path / "cache"),
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
    }

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from centralized_ml_api.cli import main; main()", *arguments]
        return subprocess.run(
            command,
            cwd=tmp_path,
            env=environment | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


def write_config(folder: Path, **changes: Any) -> None:
    entry = {"name": "tiny", "model_id": TINY, "instance": "ml.g5.2xlarge", "integration": {"type": "api"}}
    (folder / "tiny.json").write_text(json.dumps({"models": [{**entry, **changes}]}, indent=1))


def test_models_lists_those_that_hold_every_word(mlapi: Mlapi) -> None:
    found = mlapi("models", "ACME", "text")
    assert found.returncode == 0
    assert found.stdout.splitlines()[1:] == [
        f"{TINY}  textgeneration  ?     ?         ?      ?        ?          1.2.0"
    ]
    assert found.stderr.splitlines() == [
        "1 model",
        f"Next: mlapi models show {TINY}, or take it: mlapi models add {TINY}",
    ]


def test_models_without_words_lists_all_of_every_source(mlapi: Mlapi) -> None:
    ids = [one["model_id"] for one in json.loads(mlapi("models", "--json").stdout)]
    assert {TINY, SHIPPED} < set(ids)
    assert ids == sorted(ids)


def test_models_of_nothing_is_an_empty_list_and_no_failure(mlapi: Mlapi) -> None:
    nothing = mlapi("models", "nothing-like-it", "--json")
    assert (nothing.returncode, json.loads(nothing.stdout)) == (0, [])


def test_models_show_json_has_the_names_of_the_facts(mlapi: Mlapi) -> None:
    shown = json.loads(mlapi("models", "show", TINY, "--json").stdout)
    assert list(shown) == [*ModelFacts.__slots__, "parameters_billions", "licence"]
    assert (shown["image"], shown["source"], shown["region"]) == (GPU_IMAGE, "mirror", "us-east-1")
    assert shown["eula"] == {"required": False, "url": None}


def test_models_show_takes_region_instance_and_version(mlapi: Mlapi) -> None:
    asked = ("--region", "cn-north-1", "--instance", CPU, "--version", "1.*")
    shown = json.loads(mlapi("models", "show", TINY, *asked, "--json").stdout)
    assert (shown["region"], shown["instance"], shown["version"]) == ("cn-north-1", CPU, "1.2.0")
    assert ".cn-north-1.amazonaws.com.cn/" in shown["image"]


def test_models_show_as_text_has_a_line_a_fact(mlapi: Mlapi) -> None:
    shown = mlapi("models", "show", TINY).stdout.splitlines()
    assert f"image: {GPU_IMAGE}" in shown
    assert "    WORKERS = 1" in shown


def test_models_show_looks_at_a_gated_model_without_using_it(mlapi: Mlapi) -> None:
    shown = json.loads(mlapi("models", "show", "acme-vlm-gated", "--json").stdout)
    assert shown["eula"]["required"] is True
    assert shown["eula"]["url"].endswith("/eula.txt")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("acme-textgeneration-tyni",), f'write "{TINY}"'),
        ((TINY, "--instance", "ml.g5.2xlrage"), 'write "ml.g5.2xlarge"'),
        ((TINY, "--config", "fast"), "no inference configuration"),
        ((TINY, "--version", "9.*"), "has no version 9.*"),
        ((TINY, "--region", "mars-north-1"), "there is no JumpStart in mars-north-1"),
    ],
)
def test_models_show_fails_with_a_message(arguments: tuple[str, ...], said: str, mlapi: Mlapi) -> None:
    failed = mlapi("models", "show", *arguments)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert said in failed.stderr
    assert "Traceback" not in failed.stderr


def test_models_show_names_every_instance_type_that_is_supported(mlapi: Mlapi) -> None:
    done = mlapi("models", "show", TINY, "--instance", "ml.p5.48xlarge")
    supported = json.loads(mlapi("models", "show", TINY, "--json").stdout)["supported_instances"]
    assert done.returncode == 1
    assert f"expected: {', '.join(supported)}" in done.stderr


def test_check_looks_models_up_and_says_where(mlapi: Mlapi, tmp_path: Path) -> None:
    write_config(tmp_path)
    checked = mlapi("check", "tiny.json")
    assert (checked.returncode, checked.stdout) == (0, "tiny.json: 1 model, 0 endpoints, no problems\n")
    assert f"JumpStart: tiny is {TINY} 1.2.0 (from the mirror)" in checked.stderr


def test_check_of_a_gated_model_ends_with_its_id(mlapi: Mlapi, tmp_path: Path) -> None:
    write_config(tmp_path, model_id="acme-vlm-gated")
    checked = mlapi("check", "tiny.json")
    assert checked.returncode == 2
    assert "error[C505]: licence not accepted" in checked.stderr
    assert checked.stderr.splitlines()[-1] == "Next: mlapi explain C505"


def test_check_is_of_the_region_that_is_named(mlapi: Mlapi, tmp_path: Path) -> None:
    write_config(tmp_path)
    assert mlapi("check", "tiny.json", "--region", "cn-north-1").returncode == 0
    elsewhere = mlapi("check", "tiny.json", AWS_REGION="eu-west-1")
    assert elsewhere.returncode == 2
    assert "error[C508]" in elsewhere.stderr


def test_check_of_a_config_without_jumpstart_needs_no_mirror(mlapi: Mlapi, tmp_path: Path) -> None:
    own = {"name": "own", "image": "i", "instance": "ml.g5.2xlarge", "integration": {"type": "api"}}
    (tmp_path / "own.json").write_text(json.dumps({"models": [own]}))
    checked = mlapi("check", "own.json", MLAPI_JUMPSTART_MIRROR="/nowhere")
    assert (checked.returncode, checked.stdout) == (0, "own.json: 1 model, 0 endpoints, no problems\n")


def test_check_says_when_jumpstart_cannot_be_asked_and_goes_on(mlapi: Mlapi, tmp_path: Path) -> None:
    write_config(tmp_path, model_id=SHIPPED)
    checked = mlapi("check", "tiny.json", MLAPI_JUMPSTART_MIRROR="http://127.0.0.1:9")
    assert checked.returncode == 0
    assert (
        "Note: JumpStart's list of models could not be read: 127.0.0.1:9 could not be reached"
        in checked.stderr
    )
    assert "(from the snapshot, in part)" in checked.stderr
    offline = mlapi("check", "tiny.json", "--offline", MLAPI_JUMPSTART_MIRROR="http://127.0.0.1:9")
    assert offline.returncode == 0
    assert "Note:" not in offline.stderr


def test_a_mirror_that_is_not_there_is_one_line(mlapi: Mlapi, tmp_path: Path) -> None:
    write_config(tmp_path)
    failed = mlapi("check", "tiny.json", MLAPI_JUMPSTART_MIRROR="/nowhere")
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: MLAPI_JUMPSTART_MIRROR names /nowhere, which is no folder\n")


def test_lock_pins_what_check_then_uses(mlapi: Mlapi, mirror: Path, tmp_path: Path) -> None:
    write_config(tmp_path)
    locked = mlapi("lock", "tiny.json")
    assert (locked.returncode, locked.stdout) == (0, f"{TINY} 1.2.0 (from the mirror)\n")
    assert locked.stderr.splitlines()[-1] == "Next: mlapi check tiny.json"
    write_mirror(mirror, make_spec(version="2.0.0"))
    assert f"{TINY} 1.2.0 (from the lock)" in mlapi("check", "tiny.json").stderr
    assert mlapi("lock", "tiny.json").stdout == f"{TINY} 2.0.0 (from the mirror)\n"


def test_a_config_that_drifted_from_its_lock_is_told_so(mlapi: Mlapi, tmp_path: Path) -> None:
    write_config(tmp_path)
    mlapi("lock", "tiny.json")
    write_config(tmp_path, model_id=SHIPPED)
    drifted = mlapi("check", "tiny.json")
    assert drifted.returncode == 2
    assert "error[C511]: not in the lock file" in drifted.stderr


def test_lock_of_an_unknown_model_writes_nothing(mlapi: Mlapi, tmp_path: Path) -> None:
    write_config(tmp_path, model_id="acme-textgeneration-tyni")
    assert mlapi("lock", "tiny.json").returncode == 1
    assert not (tmp_path / "jumpstart.lock.json").exists()


def test_the_region_is_the_flags_the_environments_the_profiles_or_the_default(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("[default]\nregion = eu-west-1\n[profile mine]\nregion = eu-west-2\n")
    profile = {"AWS_CONFIG_FILE": str(file)}
    assert find_region("eu-north-1", {"AWS_REGION": "us-west-2"}) == "eu-north-1"
    assert find_region(None, {"AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "us-west-1"}) == "us-west-2"
    assert find_region(None, {"AWS_DEFAULT_REGION": "us-west-1", **profile}) == "us-west-1"
    assert find_region(None, profile) == "eu-west-1"
    assert find_region(None, {**profile, "AWS_PROFILE": "mine"}) == "eu-west-2"
    assert find_region(None, {"AWS_CONFIG_FILE": str(tmp_path / "none")}) == "us-east-1"
    file.write_text("not a configuration")
    assert find_region(None, profile) == "us-east-1"


def test_a_plan_for_aws_of_an_unknown_model_fails_as_check_does(mlapi: Mlapi, tmp_path: Path) -> None:
    write_config(tmp_path, model_id="acme-textgeneration-tinny")
    planned, checked = mlapi("plan", "tiny.json", "--target", "aws"), mlapi("check", "tiny.json")
    assert (planned.returncode, checked.returncode) == (2, 2)
    assert (planned.stdout, checked.stdout) == ("", "")
    assert "unknown JumpStart model" in planned.stderr
    assert planned.stderr.splitlines()[:3] == checked.stderr.splitlines()[:3]
    assert "mlapi deploy" not in planned.stderr
