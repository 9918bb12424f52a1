"""The forms of `weights`, and what is refused."""

from __future__ import annotations

import pytest

from centralized_ml_api.config.weights import (
    FileWeights,
    HttpsWeights,
    HuggingFaceRepository,
    HuggingFaceWeights,
    PyPiWeights,
    parse_weights,
)

DIGEST = "0123456789ABCDEF" * 4


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ("weights/model.gguf", FileWeights("weights/model.gguf")),
        ("/srv/model.gguf", FileWeights("/srv/model.gguf")),
        ("https://host/model.gguf?a=1", HttpsWeights("https://host/model.gguf?a=1")),
        ("http://127.0.0.1:8000/m", HttpsWeights("http://127.0.0.1:8000/m")),
        ("hf://owner/repo/dir/model.gguf", HuggingFaceWeights("owner/repo", "dir/model.gguf")),
        ("hf://owner/repo@v1.0/m.gguf", HuggingFaceWeights("owner/repo", "m.gguf", "v1.0")),
        ("pypi://pack-age==1.0.2/in/wheel.gguf", PyPiWeights("pack-age", "1.0.2", "in/wheel.gguf")),
    ],
)
def test_each_form_is_read_with_and_without_a_digest(written: str, source: object) -> None:
    assert parse_weights(written).source == source
    with_digest = parse_weights(f"{written}#sha256={DIGEST}")
    assert (with_digest.source, with_digest.sha256) == (source, DIGEST.lower())


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ("hf://owner/repo", HuggingFaceRepository("owner/repo", "main")),
        ("hf://owner/re.po@0a1b2c", HuggingFaceRepository("owner/re.po", "0a1b2c")),
    ],
)
def test_a_whole_repository_is_a_folder_without_a_digest(written: str, source: object) -> None:
    weights = parse_weights(written)
    assert (weights.source, weights.is_folder) == (source, True)
    with pytest.raises(ValueError, match="no single digest"):
        parse_weights(f"{written}#sha256={DIGEST}")


@pytest.mark.parametrize(
    "written",
    [
        "",
        "#sha256=" + DIGEST,
        "file#",
        "file?sha256=" + DIGEST,
        "file%23sha256=" + DIGEST,
        "file,SHA-256: " + DIGEST,
        "https://host/file?sha256=" + DIGEST,
        "file#sha256=12",
        "file#md5=" + DIGEST,
        "ftp://host/file",
        "http://host/file",
        "https:///file",
        "https://user:password@host/file",
        "hf://repo",
        "hf://owner/repo/",
        "hf://owner/..",
        "hf://owner/repo@",
        "hf://owner/repo/../file",
        "pypi://package/file",
        "pypi://package==1.0",
    ],
)
def test_anything_else_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_weights(written)
