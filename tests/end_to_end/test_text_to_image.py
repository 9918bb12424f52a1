"""The original's second documented call on one machine, with a tiny pipeline of random weights."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest
import urllib3

from centralized_ml_api.local.python_engine import prepare_environment
from centralized_ml_api.local.weights import render_bytes
from centralized_ml_api.local.weights.cache import cache_root
from support.hub import REPOSITORY, Hub
from support.local_api import LocalApi, Ran, mlapi, odd_command, start_local_api
from support.png import read_png
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


ROOT = Path(__file__).parents[2]
CODE = ROOT / "models" / "text_to_image"
BUILDER = ROOT / "tests" / "support" / "tiny_pipeline.py"
DOCUMENTED = (
    b'{"cfg_scale": 7,"height": 512,"width": 512,"steps": 30,"sampler": "K_DPMPP_2M",'
    b'"text_prompts": [{"text": "A computer in the clouds","weight": 1}]}'
)
SMALL = {"height": 128, "width": 128, "steps": 2, "seed": 7, "text_prompts": [{"text": "a cloud"}]}
JSON, PNG = "application/json", "image/png"
SAMPLERS = (
    "DDIM",
    "DDPM",
    "K_DPMPP_2M",
    "K_DPMPP_2S_ANCESTRAL",
    "K_DPM_2",
    "K_DPM_2_ANCESTRAL",
    "K_EULER",
    "K_EULER_ANCESTRAL",
    "K_HEUN",
    "K_LMS",
)
LOADING_SECONDS = 180.0
"""To import torch and diffusers takes 5 to 20 seconds, with other tests beside it."""


@dataclass(frozen=True)
class Served:
    """A running API, and what it said before the weights were there."""

    api: LocalApi
    before: urllib3.BaseHTTPResponse
    pulled: Ran

    def post(self, body: Mapping[str, Any] | bytes, name: str = "sd-1-0", **headers: str) -> Any:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.api.call(f"/{name}", sent, **({"Content_Type": JSON} | headers))

    def artifacts(self, **more: Any) -> list[dict[str, Any]]:
        answer = self.post(SMALL | more)
        assert answer.status == 200, answer.data
        found: list[dict[str, Any]] = json.loads(answer.data)["artifacts"]
        return found

    def image(self, **more: Any) -> bytes:
        """The pixels of one small image."""
        return read_png(base64.b64decode(self.artifacts(**more)[0]["base64"])).lines


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of two tiny pipelines, made by the model's own environment."""
    # In the user's cache, so that the packages are installed once and not by each run.
    environment = prepare_environment(CODE, say=print, log=lambda _: None, cancelled=threading.Event())
    folder = tmp_path_factory.mktemp("pipeline")
    subprocess.run([environment.python, BUILDER, folder], check=True, timeout=LOADING_SECONDS)
    return folder


@pytest.fixture(scope="module")
def hub(pipelines: Path) -> Iterator[Hub]:
    """The pipeline in half precision on a hub, with the same weights in another form beside."""
    pipeline = pipelines / "half"
    files = {str(path.relative_to(pipeline)): path.read_bytes() for path in pipeline.rglob("*.*")}
    doubles = {path.replace(".fp16.", "."): body * 2 for path, body in files.items() if ".fp16." in path}
    with Hub({**files, **doubles, "README.md": b"# tiny"}) as hub:
        yield hub


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, hub: Hub, pipelines: Path) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    cache = folder / "cache"
    cache.mkdir()
    (cache / "environments").symlink_to(cache_root(None) / "environments")
    settings = {"HF_ENDPOINT": hub.url, "MLAPI_CACHE": str(cache)}
    with start_local_api(folder, build_config(pipelines), environment=settings) as api:
        api.wait_serving()
        before = api.call("/sd-1-0", DOCUMENTED, Content_Type=JSON)
        pulled = mlapi("pull", "sd-1-0", "--config", "models.json", cwd=folder, environment=settings)
        mlapi("reload", cwd=folder, environment=settings)
        wait_until(lambda: is_ready(api), f"it is served:\n{api.output}", LOADING_SECONDS)
        yield Served(api, before, pulled)


def build_config(pipelines: Path) -> dict[str, Any]:
    """The default config's entry with other weights, two from a folder (one has no time), a quick one."""
    default = json.loads((ROOT / "config" / "models.json").read_text())
    entry = next(model for model in default["models"] if model["name"] == "sd-1-0")
    local = entry["local"] | {"code": str(CODE), "weights": f"hf://{REPOSITORY}"}
    no_time = {"TEXT_TO_IMAGE_TIME_LIMIT_SECONDS": "0.000001"}
    xl = local | {"weights": str(pipelines / "xl"), "environment": {}}
    others = {"xl": xl, "hasty": xl | {"environment": no_time}, "quick": odd_command()}
    endpoints = [
        {"name": name, "integration": {"type": "api"}, "local": block} for name, block in others.items()
    ]
    return {"models": [entry | {"local": local}], "endpoints": endpoints}


def is_ready(api: LocalApi) -> bool:
    assert api.process.poll() is None, api.output
    # While it is busy with a reload, it may not say how it is.
    return {entry["state"] for entry in api.status().get("entries", ())} == {"ready"}


@pytest.mark.slow
def test_until_it_is_pulled_the_path_says_so_with_the_size(served: Served, hub: Hub) -> None:
    halves = {path for path in hub.files if ".fp16." in path}
    unwanted = {"README.md", *(path.replace(".fp16.", ".") for path in halves)}
    size = sum(len(body) for path, body in hub.files.items() if path not in unwanted)
    message = json.loads(served.before.data)["error"]["message"]
    assert served.before.status == 501
    assert f"({render_bytes(size)})" in message
    assert "mlapi pull sd-1-0" in message


@pytest.mark.slow
def test_openais_client_gets_the_same_image(served: Served) -> None:
    with openai.OpenAI(base_url=f"{served.api.url}/v1", api_key="none", max_retries=0) as client:
        drawn = client.images.generate(model="sd-1-0", prompt="a cloud", size="128x128", n=2)
        with pytest.raises(openai.BadRequestError, match="it must be a multiple of 64"):
            client.images.generate(model="sd-1-0", prompt="a cloud", size="130x128")
    images = [read_png(base64.b64decode(image.b64_json or "")) for image in drawn.data or []]
    assert [(image.width, image.height) for image in images] == [(128, 128)] * 2


@pytest.mark.slow
def test_pull_says_where_it_is(served: Served) -> None:
    assert served.pulled.status == 0, served.pulled.talk
    assert served.pulled.out.startswith("sd-1-0: ")
    assert (Path(served.pulled.out.split()[1]) / "model_index.json").is_file()


@pytest.mark.slow
def test_the_originals_documented_call_answers_its_documented_shape(served: Served) -> None:
    answer = served.post(DOCUMENTED)
    assert (answer.status, answer.headers["Content-Type"]) == (200, JSON)
    body = json.loads(answer.data)
    (artifact,) = body["artifacts"]
    assert (set(body), body["result"]) == ({"result", "artifacts"}, "success")
    assert (set(artifact), artifact["finishReason"]) == ({"seed", "base64", "finishReason"}, "SUCCESS")
    assert 0 < artifact["seed"] < 2**32
    picture = read_png(base64.b64decode(artifact["base64"]))
    assert (picture.width, picture.height) == (512, 512)


@pytest.mark.slow
def test_as_curl_sends_it_without_a_content_type(served: Served) -> None:
    assert served.post(SMALL, Content_Type="application/x-www-form-urlencoded").status == 200


@pytest.mark.slow
def test_the_seed_decides(served: Served) -> None:
    assert served.image() == served.image()
    assert served.image() != served.image(seed=8)
    without = served.artifacts(seed=0)[0]
    again = served.artifacts(seed=without["seed"])[0]
    assert (again["base64"], served.artifacts(seed=0)[0]["seed"] == without["seed"]) == (
        without["base64"],
        False,
    )


@pytest.mark.slow
def test_the_size_is_the_one_asked_for(served: Served) -> None:
    picture = read_png(served.post(SMALL | {"width": 192}, Accept=PNG).data)
    assert (picture.width, picture.height) == (192, 128)


@pytest.mark.slow
def test_a_png_comes_byte_for_byte_and_knows_its_seed(served: Served) -> None:
    answer = served.post(SMALL, Accept=PNG)
    assert (answer.status, answer.headers["Content-Type"]) == (200, PNG)
    assert answer.data == base64.b64decode(served.artifacts()[0]["base64"])
    assert read_png(answer.data).texts == {"seed": "7"}


@pytest.mark.slow
def test_several_samples_have_seeds_of_their_own(served: Served) -> None:
    artifacts = served.artifacts(samples=2)
    assert [artifact["seed"] for artifact in artifacts] == [7, 8]
    assert artifacts[1] == served.artifacts(seed=8)[0]
    several = served.post(SMALL | {"samples": 2}, Accept=PNG)
    assert (several.status, "samples is 2" in several.data.decode()) == (400, True)


@pytest.mark.slow
def test_another_type_is_refused(served: Served) -> None:
    assert served.post(SMALL, Accept="image/webp").status == 406


@pytest.mark.slow
def test_every_sampler_draws_the_same_again_even_in_one_step(served: Served) -> None:
    cases = [{"sampler": sampler, "steps": steps} for sampler in SAMPLERS for steps in (1, 4)]
    assert [case for case in cases if served.image(**case) != served.image(**case)] == []


@pytest.mark.slow
def test_prompts_their_weights_and_styles_count(served: Served) -> None:
    sky, sea = {"text": "sky", "weight": 1}, {"text": "sea", "weight": 1}
    prompts = [[sky], [sea], [sky, sea], [sky, sea | {"weight": 3}]]
    images = [served.image(text_prompts=texts) for texts in prompts] + [
        served.image(text_prompts=[sky], style_preset="anime")
    ]
    assert len(set(images)) == len(images)
    assert served.image(text_prompts=[sky | {"weight": 5}]) == images[0], "weights count in proportion"


@pytest.mark.slow
def test_stable_diffusion_xl_draws_too_and_prompts_below_zero_count(served: Served) -> None:
    sky, rain = {"text": "sky", "weight": 1}, {"text": "rain", "weight": -1}
    prompts = [[sky], [sky, rain], [sky, rain | {"text": "sun"}], [sky, {"text": "sun"}]]
    answers = [served.post(SMALL | {"text_prompts": texts}, name="xl", Accept=PNG) for texts in prompts]
    assert {answer.status for answer in answers} == {200}
    assert len({read_png(answer.data).lines for answer in answers}) == len(answers)


@pytest.mark.slow
def test_more_steps_than_the_config_allows_are_lowered(served: Served) -> None:
    assert served.image(steps=30) == served.image(steps=4) != served.image(steps=3)
    logged = mlapi("logs", "sd-1-0", cwd=served.api.folder)
    assert "30 steps lowered to 4" in logged.out


@pytest.mark.slow
def test_a_wrong_value_is_400_and_says_what_is_allowed(served: Served) -> None:
    answer = served.post(SMALL | {"width": 500, "sampler": "EULER"})
    error = json.loads(answer.data)["error"]
    assert (answer.status, error["type"]) == (400, "invalid_request_error")
    assert "width is 500; it must be a multiple of 64, such as 448 or 512" in error["message"]
    assert "sampler" in error["message"]
    assert "K_DPMPP_2M" in error["message"]


@pytest.mark.slow
def test_an_image_that_would_come_too_late_is_given_up_with_advice(served: Served) -> None:
    answer = served.post(SMALL, name="hasty")
    assert answer.status == 400
    assert "steps is 2; that would take about" in json.loads(answer.data)["error"]["message"]
