"""`hf://owner/repo`: a whole pipeline from a hub on this machine."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights import FetchCancelledError, find_cached, size_of
from support.fetching import Fetcher
from support.hub import COMMIT, REPOSITORY, Hub
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from centralized_ml_api.local.weights import Progress

WRITTEN = f"hf://{REPOSITORY}"
UNET = "unet/diffusion_pytorch_model.fp16.safetensors"
INDEX = {"unet": ["diffusers", "UNet2DConditionModel"], "tokenizer": ["transformers", "CLIPTokenizer"]}
WANTED = {
    "model_index.json": json.dumps(INDEX).encode(),
    "tokenizer/vocab.json": b'{"a": 0}',
    "unet/config.json": b"{}",
    UNET: bytes(range(250)) * 4000,
}
NOT_WANTED = {"README.md": b"# hello", "unet/diffusion_pytorch_model.safetensors": bytes(2_000_000)}
TOTAL_BYTES = sum(map(len, WANTED.values()))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub({**WANTED, **NOT_WANTED}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def fetcher(tmp_path: Path, hub: Hub) -> Fetcher:  # noqa: ARG001  everything is fetched from this hub
    return Fetcher(tmp_path / "cache")


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_what_a_pipeline_needs_comes_as_one_folder_with_one_progress(hub: Hub, fetcher: Fetcher) -> None:
    folder = fetcher.fetch(WRITTEN)
    assert folder.name == "tiny-pipeline"
    assert contents(folder) == WANTED
    done = [now.done_bytes for now in fetcher.progress]
    assert done == sorted(done)
    assert done[-1] == TOTAL_BYTES
    assert {now.total_bytes for now in fetcher.progress} == {TOTAL_BYTES}
    assert set(hub.resolved()) == set(WANTED)


def test_it_is_fetched_once_and_the_hub_is_not_asked_again(hub: Hub, fetcher: Fetcher) -> None:
    folder = fetcher.fetch(WRITTEN)
    asked = len(hub.seen)
    assert fetcher.fetch(WRITTEN) == folder
    assert find_cached(parse_weights(WRITTEN), folders=(), cache=fetcher.cache) == folder
    assert (len(hub.seen), fetcher.stages) == (asked, set())


def test_a_revision_is_a_folder_of_its_own(hub: Hub, fetcher: Fetcher) -> None:
    assert fetcher.fetch(f"{WRITTEN}@v1.0") != fetcher.fetch(WRITTEN)
    assert hub.seen[0] == f"/api/models/{REPOSITORY}/revision/v1.0?blobs=true"


def test_the_files_are_of_one_commit_whatever_the_branch_becomes(hub: Hub, fetcher: Fetcher) -> None:
    fetcher.fetch(WRITTEN)
    assert len(hub.seen) > len(WANTED)
    assert all(target.startswith((f"/{REPOSITORY}/resolve/{COMMIT}/", "/cdn/")) for target in hub.seen[1:])


def test_a_break_is_continued_and_whole_files_are_kept(hub: Hub, fetcher: Fetcher) -> None:
    cancel_at(fetcher, len(WANTED["model_index.json"]) + 300_000)
    with pytest.raises(FetchCancelledError):
        fetcher.fetch(WRITTEN)
    assert find_cached(parse_weights(WRITTEN), folders=(), cache=fetcher.cache) is None
    first = hub.resolved().count("tokenizer/vocab.json")
    again = Fetcher(fetcher.cache)
    assert contents(again.fetch(WRITTEN)) == WANTED
    assert hub.resolved().count("tokenizer/vocab.json") == first
    assert again.progress[0].done_bytes > 0


def cancel_at(fetcher: Fetcher, done_bytes: int) -> None:
    class Stopper(list["Progress"]):
        def append(self, now: Progress) -> None:
            if now.done_bytes >= done_bytes:
                fetcher.cancelled.set()

    fetcher.progress = Stopper()


def test_a_cut_connection_is_continued_at_once(hub: Hub, fetcher: Fetcher) -> None:
    hub.cut[UNET] = 400_000
    assert contents(fetcher.fetch(WRITTEN)) == WANTED


def test_what_came_of_another_commit_is_not_mixed_in(hub: Hub, fetcher: Fetcher) -> None:
    cancel_at(fetcher, 1)
    with pytest.raises(FetchCancelledError):
        fetcher.fetch(WRITTEN)
    hub.commit = "f" * 40
    hub.files["unet/config.json"] = b'{"new": true}'
    folder = Fetcher(fetcher.cache).fetch(WRITTEN)
    assert (folder / "unet/config.json").read_bytes() == b'{"new": true}'
    assert fetcher.left_over() == {*(path.rpartition("/")[2] for path in WANTED), ".verified.json"}


@pytest.mark.parametrize("path", [UNET, "unet/config.json"])
def test_a_file_that_is_not_the_one_listed_is_refused_and_fetched_anew(
    hub: Hub, fetcher: Fetcher, path: str
) -> None:
    hub.tampered.add(path)
    with pytest.raises(WeightsError, match=f"{REPOSITORY}/{path} is not the file that the hub"):
        fetcher.fetch(WRITTEN)
    assert find_cached(parse_weights(WRITTEN), folders=(), cache=fetcher.cache) is None
    hub.tampered.clear()
    assert contents(fetcher.fetch(WRITTEN)) == WANTED


@pytest.mark.parametrize("change", ["changed", "missing"])
def test_a_file_that_changed_in_the_cache_is_fetched_anew(fetcher: Fetcher, change: str) -> None:
    file = fetcher.fetch(WRITTEN) / "unet/config.json"
    if change == "changed":
        file.write_bytes(b"evil")
    else:
        file.unlink()
    assert find_cached(parse_weights(WRITTEN), folders=(), cache=fetcher.cache) is None
    assert contents(fetcher.fetch(WRITTEN)) == WANTED


def test_a_file_that_was_only_touched_is_still_known(fetcher: Fetcher) -> None:
    folder = fetcher.fetch(WRITTEN)
    (folder / UNET).touch()
    assert find_cached(parse_weights(WRITTEN), folders=(), cache=fetcher.cache) == folder


def test_two_at_once_fetch_once(hub: Hub, fetcher: Fetcher) -> None:
    other = Fetcher(fetcher.cache)
    threads = [threading.Thread(target=each.fetch, args=(WRITTEN,)) for each in (fetcher, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hub.resolved().count(UNET) == 1


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"README.md": b""}, "it has no model_index.json"),
        ({"model_index.json": b"no JSON"}, "is not a usable diffusers pipeline"),
        ({"model_index.json": b"[]"}, "not as expected"),
        ({"model_index.json": json.dumps(INDEX).encode()}, "names the part"),
    ],
)
def test_what_is_no_pipeline_says_so_and_what_to_write(
    hub: Hub, fetcher: Fetcher, files: dict[str, bytes], reason: str
) -> None:
    hub.files = files
    with pytest.raises(WeightsError, match=reason) as caught:
        fetcher.fetch(WRITTEN)
    assert f"{WRITTEN}/file" in caught.value.fix


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("path", [f"/api/models/{REPOSITORY}/revision/main", f"/cdn/{UNET}"])
def test_a_gated_repository_says_what_to_do(hub: Hub, fetcher: Fetcher, status: int, path: str) -> None:
    hub.statuses[path] = status
    with pytest.raises(WeightsError, match="is gated, private, or does not exist") as caught:
        fetcher.fetch(WRITTEN)
    assert f"accept its terms at {hub.url}/{REPOSITORY}" in caught.value.fix


def test_a_commit_that_could_be_a_path_is_not_taken(hub: Hub, fetcher: Fetcher) -> None:
    hub.commit = "../../elsewhere"
    with pytest.raises(WeightsError, match="names no commit"):
        fetcher.fetch(WRITTEN)


def test_the_size_is_the_sum_of_what_would_be_fetched(hub: Hub) -> None:
    assert size_of(parse_weights(WRITTEN)) == TOTAL_BYTES
    hub.statuses[f"/api/models/{REPOSITORY}/revision/main"] = 500
    hub.seen.clear()
    assert size_of(parse_weights(WRITTEN)) is None
    assert len(hub.seen) == 1, "whoever waits for a size does not wait for a second attempt"


@pytest.mark.slow
def test_a_hub_that_does_not_answer_is_left_after_a_moment(hub: Hub) -> None:
    hub.silent = True
    found: list[int | None] = []
    asking = threading.Thread(target=lambda: found.append(size_of(parse_weights(WRITTEN))))
    asking.start()
    wait_until(hub.asked.is_set, "the hub was asked")
    asking.join(10)  # far less than the 30 seconds for which it says nothing
    assert found == [None]
