"""What an organizer can do with a deployed stack: by the verbs, or on the screen.

Each act notes in the journal of the stack what it did, and how the organizer said so.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.keys import unknown_team
from centralized_ml_api.api.notices import SILENCE, Message
from centralized_ml_api.aws.deploy.deployment import extend
from centralized_ml_api.aws.event.grants import AwsGrants
from centralized_ml_api.aws.event.joining import AwsJoining, load_roster
from centralized_ml_api.aws.event.keys import AwsKeys, find_keys
from centralized_ml_api.aws.event.messages import AwsMessage
from centralized_ml_api.aws.event.pauses import EVERYTHING, AwsPauses
from centralized_ml_api.aws.event.waking import begin_to_wake
from centralized_ml_api.aws.failures.explain import build_aws_error
from centralized_ml_api.aws.stack.contract import TEAM_TAG
from centralized_ml_api.aws.stack.deployed_stack import load_teams
from centralized_ml_api.config.load import load_config
from centralized_ml_api.config.revise import move_end, write_instant
from centralized_ml_api.errors import UsageError
from centralized_ml_api.organizer.act_arguments import read_text, read_until, read_words
from centralized_ml_api.organizer.grant import UNITS, read_grant
from centralized_ml_api.organizer.journal import Journal, note_extension
from centralized_ml_api.plan.build import build_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from centralized_ml_api.aws.cdk.target import AwsTarget
    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.stack.deployed_stack import DeployedTeams
    from centralized_ml_api.organizer.grant import Grant
    from centralized_ml_api.organizer.journal import Actor

    Act = Callable[[Mapping[str, Any]], dict[str, Any]]


GRACE = timedelta(hours=1)
"""How long a key that is replaced on the screen goes on working, as with the verb."""


def open_journal(target: AwsTarget, by: Actor = "command line") -> Journal:
    """Returns the journal of a stack, on the organizer's machine; makes its folder."""
    with contextlib.suppress(OSError):
        target.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Journal(target.state, by, name=f"journal-{target.region}-{target.stack}.jsonl")


class AwsActs:
    """The acts on one stack, by name: `do`.

    Args:
        target: The stack, and the config with the limits of its teams.
        clients: Of its region.
        by: How the organizer acts.
        clock: Returns the present instant.
    """

    def __init__(
        self,
        target: AwsTarget,
        clients: AwsClients,
        by: Actor = "command line",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._target, self._clients, self._clock = target, clients, clock
        self._journal = open_journal(target, by)
        self._pauses = AwsPauses(clients, target.stack)
        self._grants = AwsGrants(clients, target.stack)
        self._message = AwsMessage(clients, target.stack)
        self._acts: dict[str, Act] = {
            "pause": self._pause,
            "resume": self._resume,
            "grant": self._grant,
            "take-back": self._take_back,
            "wake": self._wake,
            "new-key": self._renew_key,
            "revoke": self._revoke,
            "open-joining": partial(self._change_joining, "open joining", is_closed=False),
            "close-joining": partial(self._change_joining, "close joining", is_closed=True),
            "new-code": partial(self._change_joining, "new code", new_code=True),
            "extend": self._extend,
            "message": self._say,
        }

    def do(self, act: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Does something; returns what there is to tell.

        Args:
            act: Its name.
            wanted: To what: `name` is that of a model, `team` that of a team.

        Raises:
            UsageError: There is no such act, or it is impossible.
            DeployError: AWS refused.
        """
        found = self._acts.get(act)
        if found is None:
            raise UsageError(f"there is no act {act}", fix=f"name one of: {', '.join(self._acts)}")
        try:
            return found(wanted)
        except (BotoCoreError, ClientError) as error:
            subject = wanted.get("team") or wanted.get("name") or self._target.stack
            raise build_aws_error(f"cannot {act.replace('-', ' ')} {subject}", error) from error

    def _pause(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Pauses a model, a `team`, or everything where neither is named; callers get the `words`."""
        words = read_words(wanted)
        if "team" in wanted:
            team = read_text(wanted, "team")
            owner = self._owner_of(team)
            self._pauses.set_team(owner, words, self._list_keys(owner))
            self._pauses.cover(owner, self._list_keys(owner))  # also a key that was made meanwhile
            self._journal.note("pause team", team, words)
            return {}
        name = read_text(wanted, "name") if "name" in wanted else EVERYTHING
        self._pauses.set_model(name, words)
        self._journal.note("pause", name, words)
        return {}

    def _resume(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Ends a pause; returns the `words` that it had."""
        team = read_text(wanted, "team") if "team" in wanted else ""
        name = read_text(wanted, "name") if "name" in wanted and not team else EVERYTHING
        if team:
            words = self._pauses.set_team(self._owner_of(team), None)
        else:
            words = self._pauses.set_model(name, None)
        if words is None:
            raise UsageError(f"{team or name or 'the whole API'} is not paused")
        self._journal.note("resume team" if team else "resume", team or name)
        return {"words": words}

    def _grant(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Lets a `team` use more: `usd`, `tokens`; returns whether the event `ends`."""
        name, grant = read_text(wanted, "team"), _read_counted(wanted)
        plan = build_plan(load_config(self._target.config, now=self._clock()))
        teams = self._load_teams()
        owner = _find_owner(name, teams)
        limited = {team.name: team for team in plan.event.teams}.get(name)
        if limited is None and plan.event.join:
            limited = plan.event.join.team
        unit = grant.find_unlimited(limited) if limited else "anything"
        if unit:
            raise UsageError(
                f"nothing limits {name} in {unit}, as {self._target.config} says", fix="grant what is limited"
            )
        self._grants.add(owner, grant)
        self._journal.note("grant", name, grant.word())
        return {"ends": bool(plan.event.ends)}

    def _take_back(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Takes back what a `team` was granted: as much as is named, or else all of it; returns how much."""
        name = read_text(wanted, "team")
        named = _read_counted(wanted) if any(unit in wanted for unit in UNITS) else None
        back = self._grants.take_back(self._owner_of(name), named)
        self._journal.note("take back", name, back.word())
        return back.to_json()

    def _wake(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Asks for a copy of a model that sleeps, and does not wait for it."""
        name = read_text(wanted, "name")
        begin_to_wake(self._clients, self._target.stack, name)
        self._journal.note("wake", name)
        return {}

    def _renew_key(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Gives a `team` a new `key`; a team that is paused is so with that key, too."""
        team, keys = read_text(wanted, "team"), AwsKeys(self._target, self._clients, clock=self._clock)
        keys.rotate(team, GRACE)
        self._journal.note("new key", team)
        return {"key": keys.show(team)}

    def _revoke(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        team = read_text(wanted, "team")
        AwsKeys(self._target, self._clients, clock=self._clock).revoke(team)
        self._journal.note("revoke", team)
        return {}

    def _change_joining(self, act: str, _: Mapping[str, Any], **change: bool) -> dict[str, Any]:
        AwsJoining(self._target, self._clients).change(self._clock(), **change)
        self._journal.note(act)
        return {}

    def _extend(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Moves the end by `minutes`, or to the instant `until`, on AWS and then in the config."""
        now = self._clock().replace(microsecond=0)
        moved = move_end(self._target.config, read_until(wanted), now)
        if moved.after <= now:
            raise UsageError(f"{write_instant(moved.after)} is in the past", fix="choose a later instant")
        moved.check()
        extend(self._target, self._clients, moved.after)
        moved.save()
        note_extension(self._journal, moved.after)
        before = "" if moved.before is None else write_instant(moved.before)
        return {"before": before, "ends": render_instant(moved.after)}

    def _say(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Says `words` to everybody, or nothing more; returns the words `before`."""
        words = read_words(wanted)
        before = self._message.say(Message(words, self._clock()) if words else SILENCE)
        self._journal.note("message" if words else "no message", detail=words)
        return {"before": before.words}

    def _list_keys(self, owner: str) -> list[str]:
        """Returns the values of a team's keys, which go no further than their hashes."""
        found = find_keys(self._clients.client("apigateway"), self._target.stack, values=True)
        return [key["value"] for key in found if key["tags"].get(TEAM_TAG) == owner]

    def _owner_of(self, team: str) -> str:
        return _find_owner(team, self._load_teams())

    def _load_teams(self) -> DeployedTeams:
        cloudformation, stack = self._clients.client("cloudformation"), self._target.stack
        return load_teams(cloudformation, stack, partial(load_roster, self._clients))


def _read_counted(wanted: Mapping[str, Any]) -> Grant:
    """Reads a grant of what the function that streams counts.

    Raises:
        UsageError: It is no grant, or one of requests.
    """
    grant = read_grant(wanted)
    if grant.requests:
        raise UsageError(
            "API Gateway counts requests by itself, so nobody can be granted more of them",
            fix="raise `requests_per_day` in the config, and deploy",
        )
    return grant


def _find_owner(team: str, teams: DeployedTeams) -> str:
    """Returns what the tags of a team's keys name.

    Raises:
        UsageError: There is no such team.
    """
    if team not in teams.plans:
        raise unknown_team(team, teams.plans)
    return teams.owner_of(team)
