"""Finds the running models by the names under which SageMaker's runtime API calls them."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from centralized_ml_api.api.error_shape import INVALID_BODY, render_error
from centralized_ml_api.local.admission.body_rules import build_passed_on, check_length
from centralized_ml_api.local.admission.json_body import BodyError, read_json_object
from centralized_ml_api.local.run.entry_terms import NO_LIMITS, build_entry_terms
from centralized_ml_api.local.sagemaker_runtime import (
    MODEL_TIMEOUT_SECONDS,
    build_application,
    model_error,
    no_capacity,
    refused,
    unavailable,
)
from centralized_ml_api.local.sleep.types import NotAwakeError
from centralized_ml_api.local.supervision.service import SigningService

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from centralized_ml_api.local.admission.terms import EntryTerms
    from centralized_ml_api.local.run.registry import Running
    from centralized_ml_api.plan.serving import Serving
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment

BY_PROVIDER = "Somebody else hosts this model: call it under /v1 of the API, not by SageMaker's runtime API."
NOT_STARTED = "the model was asleep and did not start; its organizer sees why"
OWN_GROUP = (
    'it shares "{group}" with {caller}, whose function calls it and keeps that place until its own call is '
    'over; give the two different words in "shares"'
)
NOT_READY = "The model is starting or was restarted; try again in a moment."


class Models(Protocol):
    """Where the running models are found: `Supervisor`."""

    @property
    def plan(self) -> ApiPlan:
        """The plan that is served now."""
        ...

    def find(self, name: str) -> Running | None:
        """Returns the running service of that name."""
        ...

    def why_refused(self, name: str) -> str:
        """Returns why an entry is not served here; empty when it is."""
        ...

    async def admit(self, name: str, seconds: float) -> None:
        """Holds a call until its model is awake.

        Args:
            name: The entry.
            seconds: How long the call can wait.

        Raises:
            NotAwakeError: It does not wake, or not in time.
        """
        ...


def build_runtime_application(models: Models) -> web.Application:
    """Builds SageMaker's runtime API over `models`; it counts calls under way in `Running.calls`."""
    directory = _Directory(models)

    @web.middleware
    async def count(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        name = request.match_info.get("name", "")
        directory.check_caller(request.match_info.get("caller", ""), name)
        try:
            await directory.admit(name)
        except NotAwakeError as error:
            raise unavailable(name, NOT_STARTED) if error.has_failed else no_capacity() from error
        running = directory.running(name)
        with running.calls if running else contextlib.nullcontext():
            return await handler(request)

    application = build_application(directory.find, directory.names)
    application.middlewares.append(count)
    return application


class ModelEndpoint:
    """One entry's model: calls go to its ready replicas in turn."""

    def __init__(
        self, name: str, serving: Serving, terms: EntryTerms | None, running: Running, turn: Iterator[int]
    ) -> None:
        self.name = name
        self.invocations_path = serving.path
        self._terms = terms
        self._running = running
        self._turn = turn

    def pick(self) -> str | None:
        """Returns the address of the next ready replica; None when none is ready."""
        origins = self._running.service.upstream(self._running.upstream).origins
        return origins[next(self._turn) % len(origins)] if origins else None

    def check(self, body: bytes) -> bytes:
        """Returns the body that the server gets: what holds for callers of the API holds for functions too.

        Raises:
            ServiceError: The entry does not take it: the model's own 400 or 413, as its caller sees it.
        """
        if self._terms is None or not self._terms.reads_body:
            return body
        too_large = check_length(body, self._terms)
        if too_large is not None:
            raise model_error(self.name, too_large.status, render_error(too_large, ""))
        try:
            passed_on = build_passed_on(read_json_object(body), self._terms)
        except BodyError as error:
            refusal = render_error(INVALID_BODY.saying(str(error)), "")
            raise model_error(self.name, INVALID_BODY.status, refusal) from error
        return body if passed_on is None else passed_on

    def why_unavailable(self) -> str:
        """Returns the reason for the caller, without a detail of this machine."""
        return NOT_READY


class AwsEndpoint:
    """A real endpoint: calls go to AWS, signed with the user's own credentials."""

    def __init__(self, name: str, service: SigningService) -> None:
        self.name = name
        self._service = service

    def sign(self, operation: str, headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, str]]:
        """Returns the URL of an operation and the headers that its call must have.

        Args:
            operation: Such as `invocations`.
            headers: Those of the call.
            body: That of the call; its digest is signed.

        Raises:
            ServiceError: There is no way into AWS.
        """
        signed = self._service.sign(self.name, operation, headers, body)
        if signed is None:
            raise unavailable(self.name, "there is no way into AWS; its organizer sees why")
        return signed


class RefusedEndpoint:
    """An entry that is not served here: known by name, never available."""

    invocations_path = "/"

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self._reason = reason

    def pick(self) -> str | None:
        """Returns None: nothing serves it."""
        return None

    def check(self, body: bytes) -> bytes:
        """Returns the body: nobody gets it."""
        return body

    def why_unavailable(self) -> str:
        """Returns why it is not served, and what to add to the config."""
        return self._reason


class _Directory:
    def __init__(self, models: Models) -> None:
        self._models = models
        self._turn = itertools.count()

    def names(self) -> list[str]:
        return [entry.endpoint_name for entry in self._models.plan.deployments]

    def find(self, endpoint_name: str) -> ModelEndpoint | AwsEndpoint | RefusedEndpoint | None:
        """Returns what answers at an endpoint; None if no entry has it."""
        entry = self._entry(endpoint_name)
        if entry is None:
            return None
        running = self._models.find(entry.name)
        if running is None or entry.local is None:
            return RefusedEndpoint(endpoint_name, self._models.why_refused(entry.name))
        if entry.local.serving.is_hosted:
            return RefusedEndpoint(endpoint_name, BY_PROVIDER)
        if isinstance(running.service, SigningService):
            return AwsEndpoint(endpoint_name, running.service)
        terms = build_entry_terms(entry, running.about(), limits=NO_LIMITS)
        return ModelEndpoint(endpoint_name, entry.local.serving, terms, running, self._turn)

    def check_caller(self, caller: str, endpoint_name: str) -> None:
        """Refuses a call for which the function that makes it would have to end first.

        Args:
            caller: The entry of the function; empty for any other program.
            endpoint_name: What it calls.

        Raises:
            ServiceError: Both are in one group.
        """
        groups = {entry.name: entry.sleep.shares for entry in self._models.plan.deployments if entry.sleep}
        entry = self._entry(endpoint_name)
        group = groups.get(entry.name) if entry else None
        if entry and group and entry.name != caller and groups.get(caller) == group:
            raise refused(endpoint_name, OWN_GROUP.format(group=group, caller=caller))

    async def admit(self, endpoint_name: str) -> None:
        """Holds a call until its model is awake.

        Raises:
            NotAwakeError: It does not wake, or not in time.
        """
        entry = self._entry(endpoint_name)
        if entry is not None:
            await self._models.admit(entry.name, MODEL_TIMEOUT_SECONDS)

    def running(self, endpoint_name: str) -> Running | None:
        entry = self._entry(endpoint_name)
        return self._models.find(entry.name) if entry else None

    def _entry(self, endpoint_name: str) -> ModelDeployment | None:
        entries = self._models.plan.deployments
        return next((entry for entry in entries if entry.endpoint_name == endpoint_name), None)
