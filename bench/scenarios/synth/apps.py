"""The apps to synthesize: one bucket, ours with several configs, and the original if it is available."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.environments import prepare_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.scenario import Run

ROOT = Path(__file__).resolve().parents[3]
FLOOR, OURS_OF_ORIGINAL, ORIGINAL = "one bucket", "ours, the original's config", "the original"
_FLOOR_APP = """\
from aws_cdk import App, Stack
from aws_cdk.aws_s3 import Bucket

app = App()
Bucket(Stack(app, "OneBucket"), "Bucket")
app.synth()
"""
_CDK_JSON = {"app": "python app.py", "versionReporting": False}
_PACKAGE = "arn:aws:sagemaker:us-east-1:865070037744:model-package/a-package"
_SOURCE = "https://github.com/aws-samples/centralized-ml-api"


@dataclass(frozen=True, slots=True)
class App:
    """A CDK app: the folder to run it in, its context, and the Python that has its packages."""

    name: str
    folder: Path
    context: dict[str, str]
    python: Path = Path(sys.executable)


def write_apps(folder: Path) -> list[App]:
    """Writes the app with one bucket; returns it, and ours with the default and with generated configs."""
    floor = folder / "floor"
    floor.mkdir()
    (floor / "app.py").write_text(_FLOOR_APP, encoding="utf-8")
    (floor / "cdk.json").write_text(json.dumps(_CDK_JSON), encoding="utf-8")
    (floor / "node_modules").symlink_to(ROOT / "node_modules")
    return [
        App(FLOOR, floor, {}),
        _ours("default", ROOT / "config/models.json"),
        *(_ours(f"{count} models", _write_config(folder, count)) for count in (75, 150)),
    ]


def write_original(run: Run) -> list[App]:
    """Returns the original at `--option original=FOLDER` and ours with its config, if the option is set.

    The config keeps only models that need no network: the original asks JumpStart about the others.
    """
    if "original" not in run.options:
        run.say(
            f"leaving the original out; to include it: git clone {_SOURCE}, then --option original=FOLDER"
        )
        return []
    source = Path(run.options["original"]).resolve()
    programs = prepare_environment("original", run.say)
    written = json.loads((source / "config/models.json").read_text(encoding="utf-8"))
    packages = [model for model in written["models"] if "model_package_arn" in model]
    config = _write(run.folder / "original.json", packages)
    return [
        _ours(OURS_OF_ORIGINAL, config),
        App(ORIGINAL, source, {"config": str(config)}, programs / "python"),
    ]


def _ours(name: str, config: Path) -> App:
    """Returns our app, offline because the network is not measured."""
    return App(name, ROOT, {"config": str(config), "offline": "true"})


def _write_config(folder: Path, count: int) -> Path:
    """Writes a config with `count` models without scaling and without functions."""
    models = [
        {
            "name": f"model-{number}",
            "model_package_arn": _PACKAGE,
            "instance": "ml.g5.2xlarge",
            "integration": {"type": "api"},
        }
        for number in range(count)
    ]
    return _write(folder / f"{count}.json", models)


def _write(file: Path, models: Sequence[Mapping[str, object]]) -> Path:
    file.write_text(json.dumps({"models": models}), encoding="utf-8")
    return file
