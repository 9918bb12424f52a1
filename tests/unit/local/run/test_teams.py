"""Who may call: the plan with those who joined, made anew only when something of it changes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from centralized_ml_api.local.keys import KeyRing, KeyStore
from centralized_ml_api.local.keys.record import TeamRecord
from centralized_ml_api.local.run.teams import Teams
from centralized_ml_api.organizer.grant import Grant
from centralized_ml_api.plan.event import EventPlan, JoinPlan, Spending, TeamPlan
from support.fake_target import HandClock, entry, plan

if TYPE_CHECKING:
    from pathlib import Path

RED = TeamPlan("red", None, None, None, spending=Spending(tokens_per_day=1000))
EVENT = EventPlan(teams=(RED,), join=JoinPlan(3, TeamPlan("", None, None, None)))


def test_the_plan_with_all_teams_is_made_once_until_one_joins_or_is_granted_more(tmp_path: Path) -> None:
    async def story() -> None:
        first, ring = plan(entry("a"), event=EVENT), KeyRing(KeyStore(tmp_path), HandClock().clock)
        teams = Teams(ring, lambda _: None)
        await teams.use(first)
        known = teams.add_joined(first)
        assert [team.name for team in known.event.teams] == ["red"]
        assert teams.add_joined(first) is known, "asking again costs nothing, however many teams there are"
        await ring.change(lambda records: (*records, TeamRecord("blue", "a key", joined=True)))
        joined = teams.add_joined(first)
        assert [team.name for team in joined.event.teams] == ["red", "blue"]
        assert teams.add_joined(first) is joined
        teams.grants.replace("red", Grant(tokens=500))
        raised = teams.add_joined(first)
        assert raised.event.teams[0].spending.tokens_per_day == 1500
        assert teams.add_joined(first) is raised
        other = plan(entry("b"), event=EVENT)
        assert teams.add_joined(other).deployments == other.deployments

    asyncio.run(story())
