"""`mlapi clients`: prints the lines with which SDKs, frameworks and coding agents call an entry."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from centralized_ml_api.api.clients import NO_KEY, OWN_PATH, Client, load_clients, render_lines
from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import json_option
from centralized_ml_api.cli.request import KEY_VARIABLE, Api, choose_api, is_text
from centralized_ml_api.cli.served import KeyNeededError, load_catalogue, load_listed
from centralized_ml_api.cli.trust import render_trust
from centralized_ml_api.cli.verbs.keys.place import KeyPlace, place_options
from centralized_ml_api.commands import command
from centralized_ml_api.errors import UsageError
from centralized_ml_api.plan.apis import MODEL_APIS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a team and its key, or nobody in particular where the API has no teams."""

    team: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What is called, by whom: the API, a model's name, its paths under `/v1`."""

    api: Api
    caller: Caller
    model: str
    routes: tuple[str, ...]

    @property
    def address(self) -> str:
        """The API's address."""
        return self.api.address

    @property
    def values(self) -> dict[str, str]:
        """The values of the placeholders in the clients' lines."""
        return {
            "url": self.address,
            "base": f"{self.address}/v1",
            "model": self.model,
            "key": self.caller.key or NO_KEY,
        }


@dataclass(frozen=True, slots=True)
class Recipe:
    """A client and its lines for a choice."""

    client: Client
    lines: str


@click.command()
@click.argument("name", required=False)
@click.option("--client", "only", metavar="CLIENT", help="Print only the lines of this one, such as codex.")
@click.option("--team", help="Call as this team. Default: the first that may call NAME.")
@click.option("--url", help="Write this address. Default: that of the API that runs here.")
@json_option
@place_options
def clients(
    name: str | None, only: str | None, team: str | None, url: str | None, place: KeyPlace, *, as_json: bool
) -> None:
    """Show how SDKs and coding agents call a model.

    The lines are complete: they have the address, the name, and the key of a team, so whoever sees them can
    call. Only clients are listed whose paths under /v1 the model has. Without NAME it is the first model.
    """
    api = place.api() if url is None else choose_api(url, None, place.state)
    api = replace(api, fix="check the address, and that the API runs there")
    choice = choose(api, name, list_callers(place, api, team))
    recipes = list_recipes(choice)
    if only is not None:
        recipes = [find_recipe(only, choice, recipes)]
    if as_json:
        output.data_json(describe(choice, recipes))
    elif only is not None:
        output.data(recipes[0].lines)
        output.talk(f"Before it: export {KEY_VARIABLE}=…")
    else:
        output.data(render(choice, recipes))
        where = () if url is None else ("--url", api.address)
        last = recipes[-1].client.id
        output.next_command(command("clients", choice.model, "--client", last, *where, *place.flags))


def list_callers(place: KeyPlace, api: Api, team: str | None) -> Iterator[Caller]:
    """Yields who can call: that team, nobody in particular where no key is needed, else each team with a key.

    Args:
        place: Where the keys are.
        api: The API.
        team: The only team that is asked for; None for all.

    Raises:
        UsageError: There is no such team, or it has no key.
        UnreachableError: Nothing listens at the address.
        DeployError: AWS refused to show the keys.
    """
    if team is not None:
        yield Caller(team, place.open().show(team))
        return
    try:
        load_listed(api)
    except KeyNeededError:
        keys = place.open()
        for listed in keys.teams():
            if listed.state == "active":
                yield Caller(listed.team, keys.show(listed.team))
    else:
        yield Caller()


def choose(api: Api, name: str | None, callers: Iterable[Caller]) -> Choice:
    """Returns the model of that name, or else the first one, as the first caller that may call it.

    Args:
        api: The API.
        name: The name of the model; None for the first that a caller may call.
        callers: Who can call, in the order in which they are tried.

    Raises:
        UsageError: No caller may call it, or there is none.
        UnreachableError: Nothing listens at the address.
        MlApiError: The API's answer is not that of an API like this one.
    """
    known: dict[str, None] = {}
    for caller in callers:
        called = replace(api, key=caller.key)
        listed = load_listed(called)
        listed |= {model.name: () for model in load_catalogue(called) if model.name not in listed}
        chosen = next(iter(listed), None) if name is None else name
        if chosen in listed:
            return Choice(called, caller, chosen, listed[chosen])
        known |= dict.fromkeys(listed)
    if name is None or not known:
        raise UsageError("no team may call a model", fix="add a model to the config, or a key to a team")
    raise UsageError(f"there is no model {name!r}", fix=f"choose one of: {', '.join(known)}")


def list_recipes(choice: Choice) -> list[Recipe]:
    """Returns the clients that can call a model, with their lines; curl alone where it has only its own path.

    Raises:
        UsageError: It has no other, and no sample that curl could send.
        UnreachableError: Nothing listens at the address.
    """
    if not choice.routes:
        return [_call_own_path(choice)]
    found = ((client, client.lines_for(choice.routes)) for client in load_clients())
    return [
        Recipe(client, render_lines(lines, choice.values)) for client, lines in found if lines is not None
    ]


def _call_own_path(choice: Choice) -> Recipe:
    models = load_catalogue(choice.api)
    path, sample = next((model.path, model.sample) for model in models if model.name == choice.model)
    if sample is None or not is_text(sample.media_type, sample.content):
        raise UsageError(
            f"{choice.model} has no path under /v1, and no sample that curl could send",
            fix=f"open {choice.address} in a browser to try it",
        )
    curl = next(client for client in load_clients() if OWN_PATH in client.lines)
    sent = {"path": path, "type": sample.media_type, "body": sample.content.decode()}
    return Recipe(curl, render_lines(curl.lines[OWN_PATH], {**choice.values, **sent}))


def find_recipe(client: str, choice: Choice, recipes: Iterable[Recipe]) -> Recipe:
    """Returns the recipe of a client.

    Args:
        client: The client's id.
        choice: The model that it calls, and how.
        recipes: The recipes of every client that can call this model.

    Raises:
        UsageError: There is no such client, or the model does not have the paths that it calls.
    """
    by_id = {recipe.client.id: recipe for recipe in recipes}
    if client in by_id:
        return by_id[client]
    known = {known.id: known for known in load_clients()}
    fix = f"choose one of: {', '.join(by_id)}"
    if client not in known:
        raise UsageError(f"there is no client {client!r}", fix=fix)
    needed = " or ".join(f"POST {api.paths[0]}" for api in MODEL_APIS if api.name in known[client].lines)
    raise UsageError(f"{known[client].title} calls {needed}, which {choice.model} does not have", fix=fix)


def describe(choice: Choice, recipes: Iterable[Recipe]) -> dict[str, Any]:
    """Returns everything for scripts. Pure."""
    listed = [
        {
            "id": client.id,
            "title": client.title,
            "language": client.language,
            "place": client.place,
            "install": client.install or None,
            "lines": recipe.lines,
        }
        for recipe in recipes
        if (client := recipe.client)
    ]
    values, caller = choice.values, choice.caller
    start = {"address": choice.address, "model": choice.model, "team": caller.team, "key": values["key"]}
    return {**start, "routes": [*choice.routes], "clients": listed}


def render(choice: Choice, recipes: Iterable[Recipe]) -> str:
    """Returns everything as text: the key first, then each client. Pure."""
    team = f", as team {choice.caller.team}" if choice.caller.team else ", which needs no key"
    parts = [f"{choice.model} at {choice.address}{team}. In each shell, first:\n"]
    parts.append(_indent(f"export {KEY_VARIABLE}={choice.values['key']}"))
    if trust := render_trust(choice.api):
        parts.append(_indent(trust))
    for recipe in recipes:
        client = recipe.client
        install = f", after {client.install}" if client.install else ""
        parts.append(
            f"\n{client.title} ({client.id}): into {client.place}{install}\n\n{_indent(recipe.lines)}"
        )
    return "\n".join(parts)


def _indent(lines: str) -> str:
    return textwrap.indent(lines, "    ")
