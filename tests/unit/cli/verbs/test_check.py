"""`mlapi check` shows every problem, and looks JumpStart models up."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from centralized_ml_api.extras import MODULES
from support.verbs import SHIPPED, TINY, write_jumpstart_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from support.local_api import Ran

    Mlapi = Callable[..., Ran]


IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
HOSTED = """{"endpoints": [{"name": "lab", "integration": {"type": "api"},
  "provider": {"url": "http://127.0.0.1:1/v1", "model": "m"}}]}"""
BROKEN = """{"models": [
  {"name": "chat", "model_id": "m", "instance": "g5.2xlarge", "integration": {"type": "api"}}
]}"""


def test_check_shows_problems_on_stderr_and_exits_2(mlapi: Mlapi, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text(BROKEN)
    checked = mlapi("check", "broken.json")
    assert (checked.status, checked.out) == (2, "")
    assert "error[C102]: unsupported instance type" in checked.talk
    assert checked.talk.splitlines()[-1] == "Next: mlapi explain C501"


def test_check_json_is_data_on_stdout_whether_good_or_bad(mlapi: Mlapi, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text(BROKEN)
    (tmp_path / "good.json").write_text('{"models": []}')
    bad, good = mlapi("check", "broken.json", "--json"), mlapi("check", "good.json", "--json")
    assert (bad.status, good.status) == (2, 0)
    assert json.loads(good.out) == {"ok": True, "problems": []}
    answer = json.loads(bad.out)
    assert answer["ok"] is False
    assert [(problem["id"], problem["line"], problem["path"]) for problem in answer["problems"]] == [
        ("C501", 2, "$.models[0].model_id"),
        ("C102", 2, "$.models[0].instance"),
    ]


def test_check_says_what_translation_lacks(
    mlapi: Mlapi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hosted.json").write_text(HOSTED)
    assert "Node.js" not in mlapi("check", "hosted.json").talk
    monkeypatch.setitem(MODULES, "translator", ("no_such_module",))
    checked = mlapi("check", "hosted.json")
    assert checked.status == 0
    note, _ = checked.talk.splitlines()
    assert note.startswith("On one machine, lab would have more APIs by translation, which needs Node.js: ")
    assert note.endswith("setup-translator")
    claude = '"bedrock_model_id": "anthropic.claude-v1"}'
    (tmp_path / "claude.json").write_text(
        HOSTED.replace('"provider": {"url": "http://127.0.0.1:1/v1", "model": "m"}}', claude)
    )
    note, _ = mlapi("check", "claude.json").talk.splitlines()
    assert note.startswith("On one machine, lab is called by translation, which needs Node.js: ")


def test_check_shows_warnings_and_exits_0(mlapi: Mlapi, tmp_path: Path) -> None:
    accept = BROKEN.replace('"api"', '"api", "headers": ["Accept"]').replace("g5.", "ml.g5.")
    accept = accept.replace('"m"', '"huggingface-textgeneration-open-llama"')
    (tmp_path / "warned.json").write_text(accept)
    checked = mlapi("check", "warned.json", "--offline")
    assert checked.status == 0
    assert "warning[C204]" in checked.talk
    assert checked.out == "warned.json: 1 model, 0 endpoints, 1 warning\n"


def test_check_looks_models_up_and_says_where(mlapi: Mlapi, tmp_path: Path) -> None:
    write_jumpstart_config(tmp_path)
    checked = mlapi("check", "tiny.json")
    assert (checked.status, checked.out) == (0, "tiny.json: 1 model, 0 endpoints, no problems\n")
    assert f"JumpStart: tiny is {TINY} 1.2.0 (from the mirror)" in checked.talk


def test_check_of_a_gated_model_ends_with_its_id(mlapi: Mlapi, tmp_path: Path) -> None:
    write_jumpstart_config(tmp_path, model_id="acme-vlm-gated")
    checked = mlapi("check", "tiny.json")
    assert checked.status == 2
    assert "error[C505]: licence not accepted" in checked.talk
    assert checked.talk.splitlines()[-1] == "Next: mlapi explain C505"


def test_check_is_of_the_region_that_is_named(mlapi: Mlapi, tmp_path: Path) -> None:
    write_jumpstart_config(tmp_path)
    assert mlapi("check", "tiny.json", "--region", "cn-north-1").status == 0
    elsewhere = mlapi("check", "tiny.json", environment={"AWS_REGION": "eu-west-1"})
    assert elsewhere.status == 2
    assert "error[C508]" in elsewhere.talk


def test_check_of_a_config_without_jumpstart_needs_no_mirror(mlapi: Mlapi, tmp_path: Path) -> None:
    own = {"name": "own", "image": IMAGE, "instance": "ml.m5.large", "integration": {"type": "api"}}
    (tmp_path / "own.json").write_text(json.dumps({"models": [own]}))
    checked = mlapi("check", "own.json", environment={"MLAPI_JUMPSTART_MIRROR": "/nowhere"})
    assert (checked.status, checked.out) == (0, "own.json: 1 model, 0 endpoints, no problems\n")


def test_check_says_when_jumpstart_cannot_be_asked_and_goes_on(mlapi: Mlapi, tmp_path: Path) -> None:
    write_jumpstart_config(tmp_path, model_id=SHIPPED)
    checked = mlapi("check", "tiny.json", environment={"MLAPI_JUMPSTART_MIRROR": "http://127.0.0.1:9"})
    assert checked.status == 0
    assert (
        "Note: JumpStart's list of models could not be read: the connection to 127.0.0.1:9 was refused"
        in checked.talk
    )
    assert "(from the snapshot, in part)" in checked.talk
    offline = mlapi(
        "check", "tiny.json", "--offline", environment={"MLAPI_JUMPSTART_MIRROR": "http://127.0.0.1:9"}
    )
    assert offline.status == 0
    assert "Note:" not in offline.talk


def test_a_mirror_that_is_not_there_is_one_line(mlapi: Mlapi, tmp_path: Path) -> None:
    write_jumpstart_config(tmp_path)
    failed = mlapi("check", "tiny.json", environment={"MLAPI_JUMPSTART_MIRROR": "/nowhere"})
    assert failed.status == 1
    assert failed.talk.startswith("error: MLAPI_JUMPSTART_MIRROR names /nowhere, which is not a folder\n")


def write_packages(folder: Path, count: int) -> None:
    """A config with so many models from a Marketplace package."""
    package = "arn:aws:sagemaker:us-east-1:865070037744:model-package/a-package"
    entry = {"model_package_arn": package, "instance": "ml.g5.2xlarge", "integration": {"type": "api"}}
    models = [{"name": f"model-{number}", **entry} for number in range(count)]
    (folder / "many.json").write_text(json.dumps({"models": models}))


def test_check_names_what_aws_does_not_allow_by_how_much_and_what_to_do(mlapi: Mlapi, tmp_path: Path) -> None:
    write_packages(tmp_path, 300)
    checked = mlapi("check", "many.json", "--json")
    problems = json.loads(checked.out)["problems"]
    assert checked.status == 0
    assert [(problem["id"], problem["severity"], problem["path"]) for problem in problems] == [
        ("C701", "warning", "$.models"),
        ("C701", "warning", "$.models"),
    ]
    template, resources = problems
    assert "bytes of a template; AWS allows 1,048,576, and AWS does not raise it" in template["found"]
    assert template["fix"].startswith("split the config, with a --stack for each part")
    assert resources["found"] == "API: 305 resources of an API; AWS allows 300, unless AWS raises it"
    assert "request an increase" in resources["fix"]
    assert mlapi("check", "many.json").out == "many.json: 300 models, 0 endpoints, 2 warnings\n"


def test_check_names_what_an_entry_exceeds_beside_what_teams_may_not_call(
    mlapi: Mlapi, tmp_path: Path
) -> None:
    write_packages(tmp_path, 100)
    config = json.loads((tmp_path / "many.json").read_text())
    variables = {f"VARIABLE_{number}": "1" for number in range(101)}
    config["models"][0] |= {"environment": variables}
    config["event"] = {"teams": [{"name": "red", "models": ["model-0"]}]}
    (tmp_path / "many.json").write_text(json.dumps(config))
    problems = json.loads(mlapi("check", "many.json", "--json").out)["problems"]
    assert [(problem["id"], problem["path"]) for problem in problems] == [("C701", "$.models")] * 2
    entry, teams = problems
    assert entry["found"].startswith("model-0: 101 variables of a container; AWS allows 100")
    assert teams["found"] == "the teams' lists of models exclude too many models for API Gateway"
    assert teams["fix"].startswith("omit `models` for teams")


def test_check_says_how_many_places_fit_into_one_stack_of_aws(mlapi: Mlapi, tmp_path: Path) -> None:
    def check(places: int, models: int) -> list[dict[str, str]]:
        write_packages(tmp_path, models)
        config = json.loads((tmp_path / "many.json").read_text())
        config["event"] = {"join": {"teams": places}}
        (tmp_path / "many.json").write_text(json.dumps(config))
        found: list[dict[str, str]] = json.loads(mlapi("check", "many.json", "--json").out)["problems"]
        return found

    for models in (3, 60):
        (problem,) = check(500, models)
        assert (problem["id"], problem["path"]) == ("C701", "$.event.join.teams")
        assert re.match(r"main stack: about 1,0\d\d resources of a stack; AWS allows 500, ", problem["found"])
        (fitting,) = re.findall(r'^at most (\d+) places fit: lower "teams", or split ', problem["fix"])
        assert 200 <= int(fitting) < 240
        assert check(int(fitting), models) == []
    (template,) = (problem for problem in check(500, 300) if "bytes of a template" in problem["found"])
    assert template["path"] == "$.models", "places are not what fills it"


def test_check_says_nothing_of_limits_where_the_models_fit(mlapi: Mlapi, tmp_path: Path) -> None:
    write_packages(tmp_path, 200)
    assert mlapi("check", "many.json").out == "many.json: 200 models, 0 endpoints, no problems\n"


def test_check_says_nothing_of_aws_for_models_that_only_a_machine_runs(mlapi: Mlapi, tmp_path: Path) -> None:
    local = {"engine": "command", "run": ["serve", "--port", "{port}"], "speaks": "openai-chat"}
    models = [
        {"name": f"model-{number}", "local": local, "integration": {"type": "api"}} for number in range(300)
    ]
    (tmp_path / "local.json").write_text(json.dumps({"models": models}))
    checked = mlapi("check", "local.json", "--json")
    assert checked.status == 0
    assert "C701" not in checked.out
