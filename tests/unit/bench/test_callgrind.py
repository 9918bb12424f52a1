"""What is counted of an Envoy: the files of the one beside it, and the dump of callgrind that is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bench.callgrind import own_envoy_files, read_totals, render_request
from bench.load import Call

if TYPE_CHECKING:
    from pathlib import Path


def test_a_second_envoy_shares_nothing_that_only_one_may_have(tmp_path: Path) -> None:
    file = tmp_path / "served.json"
    socket = {"socket_address": {"address": "127.0.0.1", "port_value": 8000}}
    log = {"path": "/var/served/access.log"}
    file.write_text(
        json.dumps(
            {
                "admin": {"address": {"pipe": {"path": "/var/served/admin.sock"}}},
                "static_resources": {"listeners": [{"address": socket, "access_log": [log]}]},
                "overload_manager": {"refresh_interval": "1s"},
            }
        ),
        encoding="utf-8",
    )
    folder = tmp_path / "counted"
    folder.mkdir()
    copy = json.loads(own_envoy_files(file, folder, 8001).read_text(encoding="utf-8"))
    (listener,) = copy["static_resources"]["listeners"]
    assert listener["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 8001}
    assert listener["access_log"] == [{"path": str(folder / "access.log")}]
    assert copy["admin"]["address"]["pipe"]["path"] == str(folder / "admin.sock")
    assert "overload_manager" not in copy


def test_the_last_dump_of_each_thread_is_read(tmp_path: Path) -> None:
    for name, total in {"count.1-01": 7, "count.2-01": 30, "count.2-05": 4_000, "count.10-05": 9}.items():
        (tmp_path / name).write_text(f"events: Ir\nfn=(1)\n1 {total}\ntotals: {total}\n", encoding="utf-8")
    (tmp_path / "count").write_text("", encoding="utf-8")
    assert read_totals(tmp_path) == [9]
    (tmp_path / "count.10-05").unlink()
    assert sorted(read_totals(tmp_path)) == [30, 4_000]


def test_a_call_is_one_piece_of_bytes() -> None:
    call = Call("http://127.0.0.1:8080/model", '{"à": 1}', {"authorization": "Bearer key"})
    head, _, body = render_request(call).partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /model HTTP/1.1",
        b"Host: 127.0.0.1:8080",
        b"Content-Length: 9",
        b"authorization: Bearer key",
    ]
    assert body.decode() == call.body
