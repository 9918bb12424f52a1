"""The apps that are synthesized: one bucket, ours with several configs, and the original if it is there."""

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
FLOOR, OURS_OF_ORIGINAL, ORIGINAL = "floor", "ours, the original's config", "the original"
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
    """A CDK app: the folder that it is run in, its context, and the Python that has its packages."""

    name: str
    folder: Path
    context: dict[str, str]
    python: Path = Path(sys.executable)


def write_apps(folder: Path) -> list[App]:
    """The floor, written below `folder`, and ours with the default config and with generated ones."""
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
    """The original below `--option original=FOLDER`, and ours with the same config; none without that option.

    Of its config only what needs no network: the original asks JumpStart for the others while it synthesizes.
    """
    if "original" not in run.options:
        run.say(f"the original is left out: git clone {_SOURCE}, then --option original=FOLDER")
        return []
    source = Path(run.options["original"]).resolve()
    programs = prepare_environment("original", run.say)
    written = json.loads((source / "config/models.json").read_text(encoding="utf-8"))
    packages = [one for one in written["models"] if "model_package_arn" in one]
    config = _write(run.folder / "original.json", packages)
    return [
        _ours(OURS_OF_ORIGINAL, config),
        App(ORIGINAL, source, {"config": str(config)}, programs / "python"),
    ]


def _ours(name: str, config: Path) -> App:
    """Offline, because the network is not what is measured."""
    return App(name, ROOT, {"config": str(config), "offline": "true"})


def _write_config(folder: Path, count: int) -> Path:
    """That many models without scaling, called directly."""
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
