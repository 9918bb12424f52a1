"""What the kernel says of inotify instances, read from a folder like `/proc`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.local.machine.inotify import InotifyInstances, count_inotify_instances

if TYPE_CHECKING:
    from pathlib import Path


def set_limit(proc: Path, name: str, most: int) -> None:
    file = proc / "sys" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{most}\n")


def test_the_instances_of_all_own_processes_count_against_the_lower_limit(tmp_path: Path) -> None:
    set_limit(tmp_path, "fs/inotify/max_user_instances", 128)
    for process, links in {
        "1": ["anon_inode:inotify"] * 2,
        "22": ["/dev/null", "anon_inode:inotify"],
    }.items():
        folder = tmp_path / process / "fd"
        folder.mkdir(parents=True)
        for number, link in enumerate(links):
            (folder / str(number)).symlink_to(link)
    (tmp_path / "333").mkdir()  # gone meanwhile
    found = count_inotify_instances(tmp_path)
    assert found == InotifyInstances(3, 128, "fs.inotify.max_user_instances")
    assert (found.suffice(125), found.suffice(126)) == (True, False)
    set_limit(tmp_path, "user/max_inotify_instances", 2000)
    assert count_inotify_instances(tmp_path) == found
    set_limit(tmp_path, "user/max_inotify_instances", 64)
    assert count_inotify_instances(tmp_path) == InotifyInstances(3, 64, "user.max_inotify_instances")


def test_more_is_always_more() -> None:
    assert InotifyInstances(0, 128, "a").fix == "allow more: sudo sysctl a=1024"
    assert InotifyInstances(0, 1024, "a").fix == "allow more: sudo sysctl a=2048"


def test_where_the_system_has_no_such_limit_nothing_is_said(tmp_path: Path) -> None:
    assert count_inotify_instances(tmp_path) is None
