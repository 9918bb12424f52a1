from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights import find_cached
from centralized_ml_api.local.weights.cache import cache_root
from support.fetching import Fetcher
from support.file_server import Answer, FileServer


@pytest.fixture
def fetcher(tmp_path: Path) -> Fetcher:
    return Fetcher(tmp_path / "cache")


def test_a_second_fetch_needs_no_network_and_no_time(server: FileServer, fetcher: Fetcher) -> None:
    url = f"{server.url}/model.gguf"
    first = fetcher.fetch(url)
    server.close()
    assert fetcher.fetch(url) == first
    assert fetcher.progress == [], "a verified file is neither fetched nor hashed again"
    assert find_cached(parse_weights(url), folders=(), cache=fetcher.cache) == first


def test_what_was_never_fetched_is_not_found(fetcher: Fetcher) -> None:
    assert find_cached(parse_weights("hf://owner/repo/x"), folders=(), cache=fetcher.cache) is None


def test_a_digest_added_later_is_checked_against_what_is_there(server: FileServer, fetcher: Fetcher) -> None:
    url = f"{server.url}/model.gguf"
    first = fetcher.fetch(url)
    assert fetcher.fetch(f"{url}#sha256={hashlib.sha256(server.body).hexdigest()}") == first
    assert len(server.seen) == 1
    with pytest.raises(WeightsError, match="expected " + "0" * 64):
        fetcher.fetch(f"{url}#sha256={'0' * 64}")
    assert fetcher.fetch(url).read_bytes() == server.body, "what was good stays"


def test_a_file_with_a_new_time_is_hashed_once(server: FileServer, fetcher: Fetcher) -> None:
    url = f"{server.url}/model.gguf"
    os.utime(fetcher.fetch(url), (1, 1))
    fetcher.fetch(url)
    assert fetcher.stages == {"verifying"}
    fetcher.fetch(url)
    assert fetcher.stages == set()
    assert len(server.seen) == 1


@pytest.mark.parametrize("harm", ["same size", "shorter", "gone", "record"])
def test_a_damaged_entry_is_fetched_again(
    server: FileServer, fetcher: Fetcher, body: bytes, harm: str
) -> None:
    url = f"{server.url}/model.gguf"
    found = fetcher.fetch(url)
    match harm:
        case "same size":
            found.write_bytes(bytes(len(body)))
        case "shorter":
            found.write_bytes(body[:10])
        case "gone":
            found.unlink()
        case "record":
            (found.parent / ".verified.json").write_text("[]")
    assert find_cached(parse_weights(url), folders=(), cache=fetcher.cache) is None
    assert fetcher.fetch(url).read_bytes() == body


def test_a_cache_that_cannot_be_written_is_an_error_with_a_fix(
    server: FileServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    (tmp_path / "in the way").touch()
    fetcher.cache = tmp_path / "in the way"
    with pytest.raises(WeightsError, match=r"cannot keep .*in the way.*Not a directory") as caught:
        fetcher.fetch(f"{server.url}/model.gguf")
    assert "MLAPI_CACHE" in caught.value.fix


def test_where_the_cache_is(tmp_path: Path) -> None:
    assert cache_root(tmp_path, {"MLAPI_CACHE": "/other"}) == tmp_path
    assert cache_root(None, {"MLAPI_CACHE": "/other"}) == Path("/other")
    assert cache_root(None, {}).name == "mlapi"


FETCH = """
import sys, threading
from pathlib import Path
from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.local.weights import fetch_weights
said = set()
def progress(now):
    if now.stage not in said:
        said.add(now.stage)
        print(now.stage, flush=True)
print(fetch_weights(parse_weights(sys.argv[1]), folders=(), cache=Path(sys.argv[2]), progress=progress))
"""


def test_two_processes_fetch_once(server: FileServer, fetcher: Fetcher, body: bytes) -> None:
    server.answers.append(Answer(hold_after=len(body) // 2))
    arguments = [sys.executable, "-c", FETCH, f"{server.url}/model.gguf", str(fetcher.cache)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as first:
        assert server.holding.wait(30)
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as second:
            assert second.stdout
            assert second.stdout.readline() == "waiting\n"
            server.release.set()
            paths = [process.communicate(timeout=30)[0].splitlines()[-1] for process in (first, second)]
    assert Path(paths[0]).read_bytes() == body
    assert paths[0] == paths[1]
    assert len(server.seen) == 1, "the second process must take what the first one fetched"


def test_a_killed_fetch_does_not_stop_the_next_one(server: FileServer, fetcher: Fetcher, body: bytes) -> None:
    server.answers.append(Answer(hold_after=len(body) // 2))
    url = f"{server.url}/model.gguf"
    arguments = [sys.executable, "-c", FETCH, url, str(fetcher.cache)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout
        assert first.stdout.readline() == "downloading\n"
        first.kill()
    assert fetcher.fetch(url).read_bytes() == body
