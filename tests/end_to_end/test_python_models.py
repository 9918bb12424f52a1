"""Models of the engine `python`, from the config to the caller."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from support.local_api import mlapi, models, start_local_api, write_config
from support.python_model import write_model
from support.waiting import wait_until
from support.wheels import build_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.local_api import LocalApi


NUMPY = "numpy==2.2.6\n"
MODEL = "def model_fn(model_dir): return model_dir\n"
GOOD = """
import os
def model_fn(model_dir):
    return {name: open(os.path.join(model_dir, name)).read() for name in os.listdir(model_dir)}
def predict_fn(data, model):
    if data == "bug": raise RuntimeError("a detail of the inside")
    return {"data": data, "model": model}
"""
ARRAYS = """
def model_fn(model_dir): return 2
def predict_fn(data, model):
    import numpy
    return numpy.asarray(data) * model
"""
TRANSFORM = f"{MODEL}def transform_fn(model, body, content_type, accept): return body[::-1], content_type"
GARBAGE = f"""
import os
{MODEL}
def predict_fn(data, model): return os._exit(7) if data == "leave" else data
def output_fn(prediction, accept): return str(prediction)
"""
HANGING_BACKEND = """
import pathlib, time
pathlib.Path({mark!r}).touch()
time.sleep(600)
"""


def python(code: str, **more: Any) -> dict[str, Any]:
    return {"engine": "python", "code": code, **more}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    """Three good models and three that are broken, each in its own way."""
    folder = tmp_path_factory.mktemp("python")
    (folder / "weights.txt").write_text("the weights")
    write_model(folder / "models" / "good", GOOD)
    write_model(folder / "models" / "arrays", ARRAYS, NUMPY)
    write_model(folder / "models" / "transform", TRANSFORM)
    write_model(folder / "models" / "uninstallable", MODEL, "--no-index\nno-such-package==1.0\n")
    write_model(folder / "models" / "raises", "import nothing_of_that_name\n")
    write_model(folder / "models" / "garbage", GARBAGE)
    config = models(
        good=python("models/good", weights="weights.txt"),
        arrays=python("models/arrays"),
        transform=python("models/transform"),
        uninstallable=python("models/uninstallable"),
        raises=python("models/raises"),
        garbage=python("models/garbage"),
    )
    with start_local_api(folder, config, environment={"MLAPI_CACHE": str(folder / "cache")}) as api:
        yield api.wait_serving()


def part_of(api: LocalApi, name: str) -> dict[str, Any]:
    parts = [part for entry in api.status()["entries"] for part in entry["parts"]]
    part: dict[str, Any] = next(part for part in parts if part["name"] == name)
    return part


def logs_of(api: LocalApi, name: str) -> str:
    return mlapi("logs", name, cwd=api.folder).out


@pytest.mark.slow
def test_a_model_answers_and_finds_its_weights_in_its_folder(api: LocalApi) -> None:
    answer = api.call("/good", b'{"text": "hello"}', Content_Type="application/json")
    assert answer.status == 200
    assert answer.json() == {"data": {"text": "hello"}, "model": {"weights.txt": "the weights"}}


@pytest.mark.slow
def test_arrays_come_and_go_as_npy(api: LocalApi) -> None:
    npy = api.call("/arrays", b"[[1, 2], [3, 4]]", Accept="application/x-npy")
    assert (npy.status, npy.headers["Content-Type"]) == (200, "application/x-npy")
    assert npy.data.startswith(b"\x93NUMPY")
    back = api.call("/arrays", npy.data, Content_Type="application/x-npy")
    assert back.json() == [[4, 8], [12, 16]]
    table = api.call("/arrays", b"1,2\n3,4\n", Content_Type="text/csv", Accept="text/csv")
    assert table.data == b"2,4\n6,8\n"


@pytest.mark.slow
def test_an_answer_that_is_no_table_is_not_given_as_one(api: LocalApi) -> None:
    cube = api.call("/arrays", b"[[[1]]]", Accept="text/csv")
    assert (cube.status, cube.json()["error"]["code"]) == (406, "not_acceptable")
    assert api.call("/arrays", b"[[[1]]]", Accept="text/csv, application/json").json() == [[[2]]]


@pytest.mark.slow
def test_a_number_of_a_table_that_only_a_long_double_holds_is_one_of_the_usual_size(api: LocalApi) -> None:
    answer = api.call("/arrays", b"9223372036854775808\n1\n", Content_Type="text/csv")
    assert (answer.status, answer.json()) == (200, [2.0**64, 2.0])


@pytest.mark.slow
def test_a_pickle_in_an_array_is_refused(api: LocalApi) -> None:
    array = api.call("/arrays", b"[1]", Accept="application/x-npy").data
    answer = api.call("/arrays", array.replace(b"<i8", b"|O "), Content_Type="application/x-npy")
    assert answer.status == 400


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["(1000000000000,)", "(1000000000, 0)", "(0, 0, 1000000000)"])
def test_an_array_of_a_shape_that_its_bytes_cannot_fill_is_refused(api: LocalApi, shape: str) -> None:
    header = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    body = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    answer = api.call("/arrays", body, Content_Type="application/x-npy")
    assert answer.status == 400
    assert "needs more bytes than there are" in answer.json()["error"]["message"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "body", [b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x09\x09\x00\x00", b"", b"\x80\x04."]
)
def test_what_is_no_array_is_refused(api: LocalApi, body: bytes) -> None:
    assert api.call("/arrays", body, Content_Type="application/x-npy").status == 400


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "found"),
    [(b"1," * 100_000 + b"1", "100,001 cells"), (b"1\n" * 1000 + b"2" * 20_000, "20,000 characters")],
)
def test_a_table_has_no_more_than_is_read_in_a_moment(api: LocalApi, body: bytes, found: str) -> None:
    answer = api.call("/arrays", body, Content_Type="text/csv")
    assert (answer.status, answer.json()["error"]["code"]) == (413, "body_too_large")
    assert found in answer.json()["error"]["message"]


@pytest.mark.slow
def test_transform_fn_stands_for_all(api: LocalApi) -> None:
    answer = api.call("/transform", b"\x00\x01", Content_Type="application/x-own")
    assert (answer.data, answer.headers["Content-Type"]) == (b"\x01\x00", "application/x-own")


@pytest.mark.slow
def test_a_bug_is_found_in_the_models_log_by_its_reference(api: LocalApi) -> None:
    answer = api.call("/good", b'"bug"')
    reference = answer.json()["error"]["request_id"]
    assert answer.status == 500
    assert f"reference {reference}: 500" in logs_of(api, "good")
    assert "RuntimeError: a detail of the inside" in logs_of(api, "good")


@pytest.mark.slow
def test_requirements_that_cannot_be_installed_are_reported_on_their_model(api: LocalApi) -> None:
    part = part_of(api, "uninstallable")
    assert part["state"] == "failed"
    assert "models/uninstallable" not in part["detail"]
    assert "uninstallable/requirements.txt" in part["detail"]
    assert "No matching distribution found for no-such-package==1.0" in part["detail"]
    assert "no-such-package" in logs_of(api, "uninstallable")
    assert api.call("/uninstallable").status == 503


@pytest.mark.slow
def test_a_model_that_raises_at_import_is_reported_on_its_model(api: LocalApi) -> None:
    wait_until(lambda: part_of(api, "raises")["state"] == "failed", "its next start has failed, too")
    part = part_of(api, "raises")
    assert "No module named 'nothing_of_that_name'" in part["log"][-1]
    assert "inference.py cannot be served" in logs_of(api, "raises")
    assert api.call("/raises").status == 503


@pytest.mark.slow
def test_an_answer_that_is_not_what_it_says_is_500_and_its_reason_in_the_log(api: LocalApi) -> None:
    answer = api.call("/garbage", b'{"a": 1}', Accept="application/json")
    assert answer.json()["error"]["code"] == "model_failed"
    assert "the response claims to be application/json and is not" in logs_of(api, "garbage")


@pytest.mark.slow
def test_a_model_that_leaves_is_502_and_comes_back(api: LocalApi) -> None:
    assert api.call("/garbage", b'"leave"').status == 502
    wait_until(lambda: api.call("/garbage", b"1").status == 200, "the model is back")
    assert api.call("/good", b"1").status == 200


@pytest.mark.slow
def test_an_edit_is_served_and_replicas_share_the_calls(tmp_path: Path) -> None:
    source = f"import os\n{MODEL}def predict_fn(data, model): return ['before', os.getpid()]"
    code = write_model(tmp_path / "models" / "edited", source)
    environment = {"MLAPI_CACHE": str(tmp_path / "cache")}
    with start_local_api(
        tmp_path, models(edited=python("models/edited", replicas=2)), environment=environment
    ) as api:
        api.wait_serving()
        wait_until(lambda: part_of(api, "edited")["ready_replicas"] == 2, "both replicas are ready")
        answered: list[int] = []

        def both_answered() -> bool:
            answered.append(api.call("/edited").json()[1])
            return len(set(answered)) == 2

        wait_until(both_answered, "both replicas answer")
        write_model(code, source.replace("before", "after"))
        wait_until(lambda: api.call("/edited").json()[0] == "after", "the edit is served")


@pytest.mark.slow
def test_ctrl_c_while_packages_are_installed_leaves_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "building"
    code = write_model(tmp_path / "models" / "slow", MODEL, "--no-index\n./hangs\n")
    (code / "hangs").mkdir()
    (code / "hangs" / "backend.py").write_text(HANGING_BACKEND.format(mark=str(mark)))
    (code / "hangs" / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    environment = {"MLAPI_CACHE": str(tmp_path / "cache")}
    with start_local_api(tmp_path, models(slow=python("models/slow")), environment=environment) as api:
        wait_until(mark.exists, "the package is being built")
        wait_until(lambda: "slow: installing packages" in api.output, "that is said")
        assert api.stop(signal.SIGINT) == 130
    (folder,) = (tmp_path / "cache" / "environments").iterdir()
    assert [path.name for path in folder.iterdir()] == [".lock"]


@pytest.mark.slow
def test_pull_installs_what_up_then_need_not(tmp_path: Path) -> None:
    code = write_model(
        tmp_path / "models" / "ready", f"import tiny\n{MODEL}def predict_fn(a, b): return tiny.SIZE"
    )
    wheel = build_wheel(code, "tiny", "1.0", {"tiny.py": b"SIZE = 'tiny'"})
    (code / "requirements.txt").write_text(f"--no-index\n./{wheel.name}\n")
    config = write_config(tmp_path, models(ready=python("models/ready")))
    environment = {"MLAPI_CACHE": str(tmp_path / "cache")}
    pulled = mlapi("pull", "ready", "--config", str(config), cwd=tmp_path, environment=environment)
    assert (pulled.status, "ready: packages installed" in pulled.talk) == (0, True)
    with start_local_api(tmp_path, config, environment=environment) as api:
        assert json.loads(api.wait_serving().call("/ready").data) == "tiny"
        assert "installing" not in api.output


@pytest.mark.slow
def test_pull_shows_what_pip_said_when_it_fails(tmp_path: Path) -> None:
    write_model(tmp_path / "models" / "broken", MODEL, "--no-index\nno-such-package==1.0\n")
    config = write_config(tmp_path, models(broken=python("models/broken")))
    pulled = mlapi("pull", "--config", str(config), cwd=tmp_path, environment={"MLAPI_CACHE": str(tmp_path)})
    assert pulled.status == 1
    assert "broken | ERROR: No matching distribution found for no-such-package==1.0" in pulled.talk
