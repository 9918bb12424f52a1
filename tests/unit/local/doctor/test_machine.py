from __future__ import annotations

import socket
from pathlib import Path

import pytest

from centralized_ml_api.config.schema import Config, LlamaCpp, Local, SageMakerEndpoint, Url
from centralized_ml_api.config.shape.read import read_object
from centralized_ml_api.local.doctor.machine import (
    check_disk,
    check_memory,
    check_port_is_free,
    compare_disk,
    compare_memory,
    compare_watched_files,
)
from centralized_ml_api.local.machine.inotify import InotifyInstances
from centralized_ml_api.plan.finding import Finding

SERVER = LlamaCpp(engine="llama.cpp", weights="model.gguf", replicas=2)
ELSEWHERE = Url(engine="url", url="http://gpu-box:8000/")


def hosted(**origin: object) -> dict[str, object]:
    """An endpoint of this origin."""
    return {"name": "hosted", "integration": {"type": "api"}, **origin}


def test_a_port_that_is_held_is_found_with_a_fix() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken: int = holder.getsockname()[1]
        found = check_port_is_free(taken)
    assert (found.check, found.severity) == ("port", "error")
    assert f"port {taken} is held by" in found.title
    assert found.fix
    assert check_port_is_free(0) == Finding("port", "ok", "a free port will be chosen")


def test_memory_that_does_is_said_with_what_the_models_roughly_take() -> None:
    assert compare_memory(1_600_000_000, [SERVER, ELSEWHERE]) == Finding(
        "memory",
        "ok",
        "there is enough memory",
        "1.6 GB free; the API and 2 model processes need about 1.6 GB",
    )


def test_memory_that_may_not_do_is_a_warning_only() -> None:
    assert compare_memory(1_599_000_000, [SERVER, ELSEWHERE]) == Finding(
        "memory",
        "warning",
        "there may not be enough memory",
        "1.6 GB free; the API and 2 model processes need about 1.6 GB",
        "stop other programs, lower `replicas`, or use smaller models",
    )


def test_too_few_files_to_watch_are_a_warning_with_the_setting() -> None:
    enough, too_few = (InotifyInstances(used, 128, "fs.inotify.max_user_instances") for used in (120, 121))
    config = serving(SERVER)
    assert list(compare_watched_files(enough, config)) == []
    (found,) = compare_watched_files(too_few, config)
    assert found == Finding(
        "inotify",
        "warning",
        "the gateway may not be able to watch its files",
        "it needs 8 inotify instances; this user has 121 of 128",
        "allow more: sudo sysctl fs.inotify.max_user_instances=1024",
    )


def serving(*servers: Local, **more: object) -> Config:
    """A config with a model for each server."""
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
    models = [
        {"name": f"m{number}", "image": image, "instance": "ml.g5.2xlarge", "local": vars(server)}
        for number, server in enumerate(servers)
    ]
    direct = {"integration": {"type": "api"}}
    return read_object(Config, {"models": [model | direct for model in models], "endpoints": [], **more})


@pytest.mark.parametrize(
    ("config", "watched"),
    [
        (serving(ELSEWHERE), 0),
        (serving(SERVER, SERVER), 2),
        (serving(SageMakerEndpoint(engine="sagemaker")), 1),
        (serving(endpoints=[hosted(provider={"url": "http://box:8000/v1", "model": "m"})]), 0),
        (serving(endpoints=[hosted(provider={"name": "openai", "model": "m", "key": {"env": "KEY"}})]), 1),
        (serving(endpoints=[hosted(bedrock_model_id="amazon.nova-lite-v1:0")]), 1),
        (serving(endpoints=[hosted(endpoint_name="theirs")]), 0),
        (serving(event={"join": {"teams": 2}}), 1),
    ],
)
def test_a_file_is_watched_for_what_runs_here_and_for_what_takes_a_key(config: Config, watched: int) -> None:
    none_left = InotifyInstances(100, 100, "user.max_inotify_instances")
    (found,) = compare_watched_files(none_left, config)
    assert found.detail == f"it needs {7 + watched} inotify instances; this user has 100 of 100"


def test_of_a_group_one_entry_needs_memory_at_a_time() -> None:
    group = [LlamaCpp(**{**vars(SERVER), "shares": "gpu", "replicas": replicas}) for replicas in (1, 2, 1)]
    found = compare_memory(1_600_000_000, [*group, ELSEWHERE])
    assert found.detail == "1.6 GB free; the API and 2 model processes need about 1.6 GB"
    found = compare_memory(10_000_000_000, [*group, SERVER, LlamaCpp(**{**vars(SERVER), "shares": "cpu"})])
    assert "the API and 6 model processes" in found.detail


def test_the_memory_of_this_machine_is_what_is_compared() -> None:
    found = check_memory([])
    assert found.check == "memory"
    assert "the API and 0 model processes need about 200 MB" in found.detail


@pytest.mark.parametrize(
    ("free_bytes", "severity", "title", "fix"),
    [
        (1_000_000_000, "ok", "there is enough disk space for weights", ""),
        (
            999_000_000,
            "warning",
            "little disk space for weights",
            "free some space, or name another folder: MLAPI_CACHE=/a/folder",
        ),
    ],
)
def test_little_room_for_weights_is_a_warning_only(
    tmp_path: Path, free_bytes: int, severity: str, title: str, fix: str
) -> None:
    found = compare_disk(free_bytes, tmp_path / "cache", tmp_path)
    assert (found.check, found.severity, found.title, found.fix) == ("disk", severity, title, fix)
    assert found.detail.endswith(f" free in {tmp_path / 'cache'}")


def test_a_folder_that_cannot_be_written_to_is_an_error() -> None:
    found = compare_disk(5_000_000_000, Path("/proc/cache"), Path("/proc/no-such-folder"))
    assert (found.severity, found.title) == ("error", "/proc/no-such-folder cannot be written to")


def test_a_cache_that_is_not_there_yet_is_looked_for_above(tmp_path: Path) -> None:
    found = check_disk(tmp_path / "not" / "there")
    assert found.check == "disk"
    assert found.severity != "error"
    assert str(tmp_path / "not" / "there") in found.detail
