"""Gathers what the organizer's screen shows of a deployed stack, rarely and in few calls; does its acts.

Each part is kept for a while, whoever looks: that decides what an open screen costs (docs/how-to/board.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.event.function_variable import NoVariableError
from centralized_ml_api.aws.event.joining import AwsJoining, load_roster
from centralized_ml_api.aws.event.keys import AwsKeys
from centralized_ml_api.aws.event.messages import AwsMessage
from centralized_ml_api.aws.event.pauses import AwsPauses
from centralized_ml_api.aws.organizer.acts import AwsActs, open_journal
from centralized_ml_api.aws.organizer.board_document import Known, Spent, build_document, read_spent
from centralized_ml_api.aws.stack.contract import JOINING_OUTPUT, SPENDING_TABLE
from centralized_ml_api.aws.stack.deployed_stack import TABLE, find_physical_id, load_outputs, load_resources
from centralized_ml_api.aws.stack.status import load_stack_status
from centralized_ml_api.aws.usage.past_calls import find_log_group, load_key_owners, load_table
from centralized_ml_api.aws.usage.recent_calls import load_errors, load_history
from centralized_ml_api.aws.usage.spent_tokens import load_items
from centralized_ml_api.config.load import load_config
from centralized_ml_api.errors import DeployError, MlApiError, UsageError
from centralized_ml_api.organizer.forecast import Forecast
from centralized_ml_api.plan.build import build_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from centralized_ml_api.api.notices import Message
    from centralized_ml_api.aws.cdk.target import AwsTarget
    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.event.pauses import Pauses
    from centralized_ml_api.plan.types import ApiPlan

Value = TypeVar("Value")
SHOWN_DEEDS = 40
SECONDS = {
    "plan": 0.0,
    "stack": 30.0,
    "pauses": 30.0,
    "message": 30.0,
    "teams": 60.0,
    "spent": 15.0,
    "history": 60.0,
    "errors": 60.0,
    "usage": 300.0,
}
"""How long each part is kept. Queries of logs cost by what they read, so they are the rarest."""

LASTING = ("history", "errors", "usage")
"""The parts that no act changes."""


class Kept(Generic[Value]):
    """A part that is loaded anew when it is older than some seconds; if that fails, the former one stays.

    Args:
        load: Loads it.
        empty: What it is before it was ever loaded.
        seconds: How long it is kept.
        clock: Returns the present instant.
    """

    def __init__(
        self, load: Callable[[], Value], empty: Value, seconds: float, clock: Callable[[], datetime]
    ) -> None:
        self._load, self._value, self._seconds, self._clock = load, empty, seconds, clock
        self._until = float("-inf")
        self.trouble = ""

    def get(self) -> Value:
        """Returns it. `trouble` then says why it could not be loaded, if it could not."""
        now = self._clock().timestamp()
        if now >= self._until:
            self._until = now + self._seconds
            try:
                self._value, self.trouble = self._load(), ""
            except (MlApiError, BotoCoreError, ClientError) as error:
                self.trouble = error.message if isinstance(error, MlApiError) else str(error)
        return self._value

    def forget(self) -> None:
        """Lets it be loaded anew, even if another thread is loading it just now."""
        self._until = float("-inf")


class AwsBoard:
    """The organizer's screen of one stack: a `BoardSource`.

    Args:
        target: The stack, and the config with its models and limits.
        clients: Of its region.
        clock: Returns the present instant.
    """

    def __init__(
        self,
        target: AwsTarget,
        clients: AwsClients,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._target, self._clients, self._clock = target, clients, clock
        self._acts = AwsActs(target, clients, "screen", clock)
        self._journal, self._forecast = open_journal(target, "screen"), Forecast()
        self._looking, self._acting = threading.Lock(), threading.Lock()  # no act waits for a query of logs
        loads: dict[str, tuple[Callable[[], Any], Any]] = {
            "plan": (self._load_plan, None),
            "stack": (self._load_stack, {}),
            "pauses": (self._load_pauses, None),
            "message": (self._load_message, None),  # which needs a right that nothing else needs
            "teams": (self._load_teams, {}),
            "spent": (self._load_spent, Spent()),
            "history": (lambda: load_history(clients, target.stack, clock()), []),
            "errors": (self._load_errors, []),
            "usage": (lambda: load_table(clients, target.stack, None), None),
        }
        self._parts = {name: Kept(*load, SECONDS[name], clock) for name, load in loads.items()}

    async def build(self) -> dict[str, Any]:
        """Returns everything that the page shows."""
        return await asyncio.to_thread(self._build)

    async def act(self, act: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Does something; returns what there is to tell, or an `error` and its `fix`."""
        return await asyncio.to_thread(self._act, act, wanted)

    def _act(self, act: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        with self._acting:
            try:
                told = self._acts.do(act, wanted)
            except MlApiError as error:
                return {"error": error.message, "fix": error.fix, "failed": not isinstance(error, UsageError)}
            for name, part in self._parts.items():
                if name not in LASTING:
                    part.forget()
            return told

    def _build(self) -> dict[str, Any]:
        with self._looking:
            found = {name: part.get() for name, part in self._parts.items()}
            troubles = [part.trouble for part in self._parts.values() if part.trouble]
        now = self._clock()
        plan = found["plan"] or self._load_plan()  # where there never was one, this raises why
        journal = [asdict(deed) for deed in self._journal.load(SHOWN_DEEDS)]
        known = Known(
            **found["stack"],
            **found["teams"],
            plan=plan,
            now=now,
            pauses=found["pauses"],
            message=found["message"],
            table=found["usage"],
            journal=journal,
            spent=found["spent"],
            forecast=self._forecast,
        )
        document = build_document(known)
        trouble = "; ".join(dict.fromkeys(filter(None, [document["trouble"], *troubles])))
        return {**document, "history": found["history"], "errors": found["errors"], "trouble": trouble}

    def _load_plan(self) -> ApiPlan:
        return build_plan(load_config(self._target.config, now=self._clock()))

    def _load_stack(self) -> dict[str, Any]:
        """Loads how the stack is, and who may join."""
        clients, stack = self._clients, self._target.stack
        status = load_stack_status(clients, stack)
        if status is None:
            raise DeployError(f"{stack} is not deployed in {clients.region}")
        resources = load_resources(clients.client("cloudformation"), stack)
        outputs = load_outputs(clients.client("cloudformation"), stack)
        joining, address = AwsJoining(self._target, clients), status.address.rstrip("/")
        return {
            "status": status,
            "invitation": joining.invite(address, self._clock()) if JOINING_OUTPUT in outputs else None,
            "roster": load_roster(clients, outputs),
            "is_counted": bool(find_physical_id(resources, TABLE, SPENDING_TABLE)),
        }

    def _load_pauses(self) -> Pauses | None:
        """Loads what is paused; None without teams, and in a stack that is older than pauses."""
        with contextlib.suppress(NoVariableError):
            return AwsPauses(self._clients, self._target.stack).load()
        return None

    def _load_message(self) -> Message | None:
        """Loads what is said to everybody; None in a stack that was deployed before there were messages."""
        with contextlib.suppress(NoVariableError):
            return AwsMessage(self._clients, self._target.stack).load()
        return None

    def _load_teams(self) -> dict[str, Any]:
        return {"keys": AwsKeys(self._target, self._clients, clock=self._clock).teams()}

    def _load_spent(self) -> Spent:
        """Loads what teams have spent and been granted: one scan of a small table."""
        resources = load_resources(self._clients.client("cloudformation"), self._target.stack)
        table = find_physical_id(resources, TABLE, SPENDING_TABLE)
        spent = read_spent(load_items(self._clients.client("dynamodb"), table) if table else ())
        self._forecast.note(spent.used, self._clock().timestamp())
        return spent

    def _load_errors(self) -> list[dict[str, Any]]:
        clients, stack = self._clients, self._target.stack
        group = find_log_group(clients, stack)
        return load_errors(clients, group, load_key_owners(clients, stack), self._clock())
