"""`python`: a folder with `inference.py`, in an environment of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.local import python_engine
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.machine.child_environment import build_environment, inherited_environment
from centralized_ml_api.local.python_engine import Environment, find_model_folder, prepare_environment
from centralized_ml_api.local.servers.parts import fetch, in_thread
from centralized_ml_api.plan.engines import PythonServing

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.servers.parts import ModelSpec, Say, ServiceParts
    from centralized_ml_api.local.supervision.process import ServerLog
    from centralized_ml_api.local.supervision.service import Service

_START = Path(python_engine.__file__).with_name("start.py")

_OF_ANOTHER_PYTHON = frozenset({"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__"})
"""What would bring the packages of the user's shell into the model's environment."""


_LARGE_BYTES = 4 * 2**20
"""What is larger is given back to the machine as soon as it is free. Unless told, glibc raises that bound
with each large piece that is freed, and a server that reads large bodies keeps several times as much.

Source: https://man7.org/linux/man-pages/man3/mallopt.3.html (M_MMAP_THRESHOLD)
"""


@dataclass(frozen=True, slots=True)
class PythonServer:
    """An `inference.py` behind SageMaker's two paths.

    Attributes:
        serving: What the config says; its code is also the process's own folder.
        model_dir: What `model_fn` gets.
        name: The entry's.
        threads: How many requests it answers at once.
        python: The environment that it runs in.
        environment: The variables of the process, see `build_python_environment`.
    """

    serving: PythonServing
    model_dir: Path
    name: str
    threads: int
    python: Environment
    environment: Mapping[str, str] = field(repr=False)

    @property
    def ping_path(self) -> str:
        """The engine's path that answers 2xx once the server is ready."""
        return self.serving.ping_path

    @property
    def work_path(self) -> str | None:
        """The engine's, if it has one."""
        return self.serving.work_path

    def launch(self, port: int) -> Launch:
        """Builds the process that will answer on `port`. Pure."""
        code = self.serving.code
        folders = ("--code", str(code), "--model-dir", str(self.model_dir))
        arguments = (*folders, "--name", self.name, "--threads", str(self.threads))
        # -P: neither our own folder nor the current one comes before the standard library.
        argv = (str(self.python.python), "-P", str(_START), str(self.python.library), *arguments)
        own = {
            "PORT": str(port),
            "SM_MODEL_DIR": str(self.model_dir),
            "VIRTUAL_ENV": str(self.python.prefix),
            "PATH": f"{self.python.prefix / 'bin'}{os.pathsep}{self.environment.get('PATH', os.defpath)}",
        }
        needs = (self.python.python, self.python.library, self.model_dir)
        return Launch(argv=argv, environment={**self.environment, **own}, cwd=code, needs=needs)


def make_service(
    spec: ModelSpec, serving: PythonServing, parts: ServiceParts, changed: Callable[[], None]
) -> Service:
    """Makes a service that installs the packages and fetches the weights first."""

    async def prepare(say: Say, log: ServerLog) -> PythonServer:
        python = await in_thread(
            lambda say, cancelled: prepare_environment(
                serving.code, say=say, log=log.write, cancelled=cancelled
            ),
            say,
        )
        weights = await fetch(serving.weights, spec.folders, say) if serving.weights else serving.code
        environment = build_python_environment(inherited_environment(), spec.local.environment)
        threads = serving.places(spec.local.environment)
        return PythonServer(serving, find_model_folder(weights), spec.name, threads, python, environment)

    return parts.replicate(spec, prepare, changed)


def build_python_environment(ours: Mapping[str, str], configured: Mapping[str, str]) -> dict[str, str]:
    """Builds what a Python model sees: as other servers do, but nothing of the Python that we run in.

    Its output is unbuffered, its folder stays unchanged, and it gives memory back; the config's variables
    win.
    """
    kept = {name: value for name, value in ours.items() if name not in _OF_ANOTHER_PYTHON}
    own = {
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MALLOC_MMAP_THRESHOLD_": str(_LARGE_BYTES),
    }
    return build_environment({**kept, **own}, configured)
