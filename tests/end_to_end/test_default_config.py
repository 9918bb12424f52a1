"""The default config as a user meets it: a real model behind a real function."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from centralized_ml_api.local.machine.state_folder import read_birth
from support.local_api import LocalApi, mlapi, start_local_api

if TYPE_CHECKING:
    from collections.abc import Iterator

    import urllib3


ROOT = Path(__file__).parents[2]
FORM = "application/x-www-form-urlencoded"
"""What `curl -d` says about a body when nothing else is said."""

BIRTH_SECONDS = 0.01
"""How exactly Linux knows when a process was created."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    folder = tmp_path_factory.mktemp("default")
    with start_local_api(folder, copy_default(folder)) as started:
        yield started.wait_serving()


def copy_default(folder: Path) -> Path:
    """The default config with its function and its model's code, as in the repository."""
    (folder / "config").mkdir()
    for part in ("functions", "models"):
        shutil.copytree(ROOT / part, folder / part)
    return Path(shutil.copy(ROOT / "config" / "models.json", folder / "config"))


def generated(answer: urllib3.BaseHTTPResponse) -> list[str]:
    assert answer.status == 200, answer.data
    texts: list[str] = json.loads(answer.data)["generated_texts"]
    return texts


@pytest.mark.slow
def test_it_ends_with_the_address_and_a_call_that_works(api: LocalApi) -> None:
    curl = api.output.partition("Try: ")[2].partition("\n")[0]
    assert curl == f'curl -X POST {api.url}/open-llama -d \'{{"text_inputs": "What is AWS?"}}\''


@pytest.mark.slow
def test_the_originals_documented_call_answers_generated_text(api: LocalApi) -> None:
    (text,) = generated(api.call("/open-llama", b'{"text_inputs": "What is AWS?"}', Content_Type=FORM))
    assert len(text.split()) > 5


@pytest.mark.slow
def test_optional_parameters_are_kept(api: LocalApi) -> None:
    body = {"text_inputs": "Name a colour.", "max_new_tokens": 5, "num_return_sequences": 2, "seed": 7}
    texts = generated(api.call("/open-llama", json.dumps(body).encode(), Content_Type="application/json"))
    assert len(texts) == 2
    assert all(len(text.split()) <= 6 for text in texts)


@pytest.mark.slow
def test_other_bodies_pass_through_to_the_model_server(api: LocalApi) -> None:
    body = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4}
    answer = api.call("/open-llama", json.dumps(body).encode(), Content_Type="application/json")
    assert json.loads(answer.data)["choices"][0]["message"]["content"]
    assert json.loads(answer.data)["model"] == "open-llama"


@pytest.mark.slow
def test_the_models_own_refusal_is_kept(api: LocalApi) -> None:
    answer = api.call("/open-llama", b'{"messages": "not a list"}', Content_Type="application/json")
    assert 400 <= answer.status < 500
    assert "messages" in json.loads(answer.data)["error"]["message"]


@pytest.mark.slow
def test_a_model_whose_weights_are_fetched_by_hand_says_how(api: LocalApi) -> None:
    answer = api.call("/sd-1-0", b'{"text_prompts": [{"text": "a cloud"}]}')
    error = json.loads(answer.data)["error"]
    assert answer.status == 501
    assert "mlapi pull sd-1-0" in error["message"]
    assert error["type"] == "not_implemented_error"


@pytest.mark.slow
def test_unknown_paths_list_those_that_exist(api: LocalApi) -> None:
    answer = api.call("/nope")
    assert answer.status == 404
    assert "/open-llama" in json.loads(answer.data)["error"]["message"]
    assert "/sd-1-0" in json.loads(answer.data)["error"]["message"]


@pytest.mark.slow
def test_another_method_is_told_which_one_is_allowed(api: LocalApi) -> None:
    answer = api.call("/open-llama", method="GET")
    assert answer.status == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.slow
def test_bodies_of_7_mb_are_refused_naming_the_limit_again_and_again(api: LocalApi) -> None:
    body = bytes(7_000_000)
    for chunked in (False, True) * 3:
        pieces = (body[at : at + 100_000] for at in range(0, len(body), 100_000))
        answer = api.http.request(
            "POST", f"{api.url}/open-llama", body=pieces if chunked else body, timeout=20
        )
        assert answer.status == 413
        assert "6 MB" in json.loads(answer.data)["error"]["message"]


@pytest.mark.slow
def test_a_browser_may_call_from_anywhere(api: LocalApi) -> None:
    answer = api.call(
        "/open-llama", method="OPTIONS", Origin="https://example.org", Access_Control_Request_Method="POST"
    )
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


@pytest.mark.slow
def test_health_is_good_although_one_entry_is_not_served(api: LocalApi) -> None:
    answer = api.call("/health", method="GET")
    assert answer.status == 200
    assert json.loads(answer.data)["status"] == "ok"


@pytest.mark.slow
def test_call_sends_the_sample(api: LocalApi) -> None:
    ran = mlapi("call", "open-llama", cwd=api.folder)
    assert ran.status == 0, ran.talk
    assert json.loads(ran.out)["generated_texts"]


@pytest.mark.slow
def test_status_shows_every_entry(api: LocalApi) -> None:
    states = {entry["name"]: entry["state"] for entry in api.status()["entries"]}
    assert states == {"open-llama": "ready", "sd-1-0": "not served"}
    ran = mlapi("status", cwd=api.folder)
    assert ran.status == 0
    assert "open-llama.function 1/1" in ran.out


@pytest.mark.slow
def test_logs_show_what_the_function_and_the_model_printed(api: LocalApi) -> None:
    generated(api.call("/open-llama", b'{"text_inputs": "Hi", "max_new_tokens": 2}'))
    ran = mlapi("logs", "open-llama", cwd=api.folder)
    assert ran.status == 0
    assert "START RequestId:" in ran.out
    assert "llama" in ran.out.lower()
    unknown = mlapi("logs", "nope", cwd=api.folder)
    assert unknown.status == 2
    assert "open-llama.function" in unknown.talk


@pytest.fixture
def sagemaker(api: LocalApi) -> object:
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=api.status()["sagemaker_runtime"],
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",  # noqa: S106  # the listener takes any
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.mark.slow
def test_boto3_reaches_the_model_by_endpoint_name(sagemaker: object) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 3})
    answer = sagemaker.invoke_endpoint(EndpointName="open-llama", Body=body, ContentType="application/json")  # type: ignore[attr-defined]
    assert answer["ContentType"].startswith("application/json")
    assert json.loads(answer["Body"].read())["choices"]


@pytest.mark.slow
def test_boto3_gets_the_sdks_own_errors(sagemaker: object) -> None:
    exceptions = sagemaker.exceptions  # type: ignore[attr-defined]
    with pytest.raises(exceptions.ModelError) as refused:
        sagemaker.invoke_endpoint(EndpointName="open-llama", Body=b"{", ContentType="application/json")  # type: ignore[attr-defined]
    assert refused.value.response["OriginalStatusCode"] == 400
    with pytest.raises(ClientError) as unknown:
        sagemaker.invoke_endpoint(EndpointName="nope", Body=b"{}")  # type: ignore[attr-defined]
    assert unknown.value.response["Error"]["Code"] == "ValidationError"
    with pytest.raises(ClientError) as unserved:
        sagemaker.invoke_endpoint(EndpointName="sd-1-0", Body=b"{}")  # type: ignore[attr-defined]
    assert unserved.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


@pytest.mark.slow
def test_no_secret_of_the_user_reaches_the_logs_or_the_process_list(tmp_path: Path) -> None:
    secret = "wJalr-very-secret-value"  # noqa: S105  # made up
    path = copy_default(tmp_path)
    config = json.loads(path.read_text())
    config["models"][0]["integration"]["properties"]["environment"] = {"TOKEN": secret}
    path.write_text(json.dumps(config))
    credentials = {"AWS_SECRET_ACCESS_KEY": secret, "AWS_ACCESS_KEY_ID": "AKIA"}
    with start_local_api(tmp_path, path, environment=credentials) as api:
        generated(api.wait_serving().call("/open-llama", b'{"text_inputs": "Hi", "max_new_tokens": 2}'))
        lines = [" ".join(process.cmdline()) for process in api.pids()]
        assert len(lines) >= 4
        assert not any(secret in line for line in lines)
    kept = [path for path in (tmp_path / ".mlapi").rglob("*") if path.is_file()]
    assert kept
    assert [path for path in kept if secret.encode() in path.read_bytes()] == []
    assert (tmp_path / ".mlapi").stat().st_mode & 0o777 == 0o700


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only there, no server outlives us")
def test_the_second_start_loads_the_model_before_it_reads_the_config(tmp_path: Path) -> None:
    """The file `run.json` is written before the first of the other processes is started."""
    config = copy_default(tmp_path)
    before = []
    for _ in range(2):
        with start_local_api(tmp_path, config) as api:
            generated(api.wait_serving().call("/open-llama", b'{"text_inputs": "Hi", "max_new_tokens": 2}'))
            (model,) = map(psutil.Process, api.part_pids("open-llama"))
            booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
            written = (tmp_path / ".mlapi" / "run.json").stat().st_mtime - booted
            before.append(read_birth(model) < written - 2 * BIRTH_SECONDS)
            assert api.stop() == 0
            assert not model.is_running()
    assert before == [False, True]
