"""Model servers, one kind a file: how each is started, where it takes calls, and why an entry has none."""

from __future__ import annotations

from centralized_ml_api.local.servers.command import CommandServer, why_not_here
from centralized_ml_api.local.servers.environment import build_environment
from centralized_ml_api.local.servers.interface import invocations_path, model_speaks
from centralized_ml_api.local.servers.llama_cpp import LlamaCppServer
from centralized_ml_api.local.servers.python import PythonServer, build_python_environment
from centralized_ml_api.local.servers.unserved import why_not_served
from centralized_ml_api.local.servers.url import UrlTarget, parse_url

__all__ = [
    "CommandServer",
    "LlamaCppServer",
    "PythonServer",
    "UrlTarget",
    "build_environment",
    "build_python_environment",
    "invocations_path",
    "model_speaks",
    "parse_url",
    "why_not_here",
    "why_not_served",
]
