"""One run: deploys, asks everything, destroys whatever happened, and writes the report."""

from __future__ import annotations

import contextlib
import io
import json
import platform
import signal
import subprocess
import sys
import tarfile
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.deploy.account import load_caller
from centralized_ml_api.aws.deploy.leftovers import find_endpoints
from centralized_ml_api.aws.stack.contract import ADDRESS_OUTPUT
from centralized_ml_api.aws.stack.deployed_stack import load_outputs, load_parameters
from contract.cases.keys import TEAMS
from prove.asking import ask_all
from prove.placing import NEEDED, WANTED, Placed, build_proof_config
from prove.report import Check, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from centralized_ml_api.aws.clients import AwsClients

ADDRESS_VARIABLE = "MLAPI_PROVE_ADDRESS"
"""An address to ask instead of the stack's own: what stands in for API Gateway where AWS is simulated."""

ENDS_AFTER = timedelta(hours=3)
"""After this the stack deletes itself, even if this program can no longer do it."""

MODEL = Path(__file__).parent / "model" / "inference.py"
_MLAPI = (sys.executable, "-m", "centralized_ml_api")
_SHOWN_LINES = 20


class FailedError(Exception):
    """A step without which nothing more can be proven."""


@dataclass(frozen=True)
class Settings:
    """What is proven and where. `bootstrap`: agrees to bootstrap the account; `address`: see above."""

    folder: Path
    stack: str
    image: str
    placed: Placed
    bootstrap: bool = False
    address: str = ""

    @property
    def config(self) -> Path:
        """The config that is deployed."""
        return self.folder / "models.json"

    @property
    def state(self) -> Path:
        """Where the CDK writes."""
        return self.folder / "state"


class Run:
    """Deploys, asks, destroys. `execute` is all of it."""

    def __init__(
        self,
        settings: Settings,
        clients: AwsClients,
        environment: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._clients = clients
        self._environment = {**environment, "NO_COLOR": "1"}
        self._say = say
        self.report = Report()
        self._bucket = f"mlapi-prove-{uuid.uuid4().hex[:20]}"
        self._began = time.monotonic()

    def execute(self) -> bool:
        """Runs everything; returns whether all of it passed and nothing is left."""
        self._describe()
        interrupted = False
        try:
            with self._step("deploy", "the config is deployed"):
                self._upload()
                self._deploy()
            self._check_api()
            self._check_verbs()
        except FailedError:
            pass
        except KeyboardInterrupt:
            interrupted = True
            self._add(Check("deploy", "the run ended by itself", "failed", "it was interrupted"))
        finally:
            with _uninterrupted():
                self._clean_up()
        if interrupted:
            self._say("Interrupted.")
        return self.report.is_passed

    def _describe(self) -> None:
        caller = load_caller(self._clients)
        for value, name in ((caller.arn, "caller"), (caller.account, "account"), (self._bucket, "bucket")):
            self.report.hide(value, name)
        placed = self._settings.placed
        self.report.facts = {
            "centralized-ml-api": version("centralized-ml-api"),
            "Python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "aws-cdk-lib": version("aws-cdk-lib"),
            "botocore": version("botocore"),
            "region": self._clients.region,
            "began": datetime.now(UTC).isoformat(timespec="seconds"),
            "container": self._settings.image.rpartition("/")[2],
            "models": ", ".join(f"{name} on {kind}" for name, kind in placed.types.items()),
            "without a model": ", ".join(WANTED[len(placed.types) :]) or "none",
        }

    def _upload(self) -> None:
        """Puts the model into a bucket of its own."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            archive.add(MODEL, "code/inference.py")
        s3, region = self._clients.client("s3"), self._clients.region
        there = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=self._bucket, **there)
        s3.put_object(Bucket=self._bucket, Key="model.tar.gz", Body=packed.getvalue())

    def _deploy(self) -> None:
        ends = datetime.now(UTC) + ENDS_AFTER
        config = build_proof_config(
            self._settings.folder,
            self._settings.placed,
            image=self._settings.image,
            model_data=f"s3://{self._bucket}/model.tar.gz",
            ends=ends,
        )
        self._settings.config.write_text(json.dumps(config, indent=2), encoding="utf-8")
        self._say("Deploying; that takes 10 to 20 minutes.")
        more = ["--bootstrap"] if self._settings.bootstrap else []
        done = self._mlapi("deploy", str(self._settings.config), "--yes", *self._there(), *more)
        if done.returncode:
            raise FailedError(_last_lines(done.stderr))

    def _check_api(self) -> None:
        with self._step("deploy", "the address and the keys are known"):
            address = self._settings.address or self._find_address()
            keys = {_name(team): self._show_key(_name(team)) for team in TEAMS}
        for team, key in keys.items():
            self.report.hide(key, f"key of {team}")
        self.report.hide(address.partition("//")[2].partition("/")[0], "api")
        self._say(f"Asking {address}")
        config = json.loads(self._settings.config.read_text(encoding="utf-8"))
        entries = {entry["name"] for entry in (*config["models"], *config["endpoints"])}
        served = set(self._settings.placed.types)
        for check in ask_all(address.rstrip("/"), keys, served=served, entries=entries, say=self._say):
            self._add(check)

    def _find_address(self) -> str:
        outputs = load_outputs(self._clients.client("cloudformation"), self._settings.stack)
        return outputs[ADDRESS_OUTPUT]

    def _show_key(self, team: str) -> str:
        done = self._mlapi("keys", "--target", "aws", "--show", team, *self._stack())
        if done.returncode:
            raise FailedError(_last_lines(done.stderr))
        return str(done.stdout).strip()

    def _check_verbs(self) -> None:
        """Runs the verbs that read what is deployed."""
        config = str(self._settings.config)
        target = ("--target", "aws")
        verbs = {
            "mlapi diff finds no difference": ("diff", config, "--json", *self._there()),
            "mlapi doctor finds nothing wrong": ("doctor", config, *target, *self._stack()),
            "mlapi keys lists the teams": ("keys", *target, *self._stack()),
            "mlapi usage counts calls": ("usage", config, *target, *self._stack()),
            "mlapi status shows the endpoints": ("status", *target, *self._stack()),
        }
        for name, arguments in verbs.items():
            started = time.monotonic()
            done = self._mlapi(*arguments)
            seconds = time.monotonic() - started
            text = " ".join((done.stdout or done.stderr).split())
            passed = done.returncode == 0 and '"different": true' not in done.stdout
            reason = "" if passed else f"exit status {done.returncode}: {_last_lines(done.stderr)}"
            self._add(Check("verbs", name, "passed" if passed else "failed", reason, text, seconds))

    def _clean_up(self) -> None:
        """Destroys the stack and the bucket, and asks AWS whether anything is left."""
        self._say("Destroying everything.")
        with contextlib.suppress(FailedError), self._step("destroy", "the stack is destroyed"):
            if self._settings.config.is_file():
                done = self._mlapi("destroy", str(self._settings.config), "--yes", *self._there())
                if done.returncode:
                    raise FailedError(_last_lines(done.stderr))
        with contextlib.suppress(FailedError), self._step("destroy", "the bucket is deleted"):
            self._delete_bucket()
        with contextlib.suppress(FailedError), self._step("destroy", "nothing is left"):
            left = self._find_left()
            if left:
                raise FailedError(f"still there, and it costs money: {', '.join(left)}")
        hours = (time.monotonic() - self._began) / 3600
        self.report.facts["ended"] = datetime.now(UTC).isoformat(timespec="seconds")
        self.report.facts["minutes"] = f"{hours * 60:.0f}"
        spent = self._settings.placed.hourly * Decimal(str(hours))
        self.report.facts["instances cost at most"] = f"{spent:.2f} USD"

    def _delete_bucket(self) -> None:
        s3 = self._clients.client("s3")
        try:
            s3.delete_object(Bucket=self._bucket, Key="model.tar.gz")
            s3.delete_bucket(Bucket=self._bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise

    def _find_left(self) -> list[str]:
        left = find_endpoints(self._clients, self._settings.stack)
        if load_parameters(self._clients.client("cloudformation"), self._settings.stack) is not None:
            left.append(f"stack {self._settings.stack}")
        return left

    @contextlib.contextmanager
    def _step(self, group: str, name: str) -> Iterator[None]:
        """Adds a check for a step; a step that fails ends what depends on it."""
        started = time.monotonic()
        try:
            yield
        except (FailedError, BotoCoreError, ClientError, OSError, KeyError) as error:
            self._say(f"  FAILED  {name}: {error}")
            self._add(Check(group, name, "failed", str(error), "", time.monotonic() - started))
            raise FailedError(str(error)) from error
        self._add(Check(group, name, "passed", "", "", time.monotonic() - started))

    def _add(self, check: Check) -> None:
        self.report.checks.append(check)

    def _there(self) -> tuple[str, ...]:
        return (*self._stack(), "--state", str(self._settings.state))

    def _stack(self) -> tuple[str, ...]:
        return "--stack", self._settings.stack, "--region", self._clients.region

    def _mlapi(self, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a verb in a session of its own: Ctrl-C is for this program, which then destroys."""
        process = subprocess.Popen(
            [*_MLAPI, verb, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment,
            start_new_session=True,
        )
        try:
            out, talk = process.communicate()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            process.communicate()
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, talk)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ignores Ctrl-C and SIGTERM: what costs money is deleted first."""
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _name(team: Any) -> str:
    return str(team["name"]) if isinstance(team, dict) else str(team)


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_SHOWN_LINES:])


def can_begin(placed: Placed) -> bool:
    """Returns whether there is anything to call."""
    return len(placed.types) >= NEEDED
