"""Decides what a body asks for: which entry, what it may need, and what its server gets. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.openai import missing_model, unknown_model
from centralized_ml_api.local.admission.accounts import Ask, Need
from centralized_ml_api.local.admission.endings import build_need
from centralized_ml_api.local.admission.exchange import Admission
from centralized_ml_api.local.admission.form_body import read_form, with_form_model
from centralized_ml_api.local.admission.json_body import BodyError, read_json_object
from centralized_ml_api.local.admission.needs import may_write_cache, measure_bytes, measure_need
from centralized_ml_api.local.admission.refusals import RefusalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.local.admission.accounts import Limit
    from centralized_ml_api.local.admission.needs import TokenNeed
    from centralized_ml_api.local.admission.terms import EntryTerms, RouteTerms


def measure(received: bytes, document: Mapping[str, Any], entry: EntryTerms) -> TokenNeed:
    """Returns the most tokens that a call with a JSON body may need.

    Args:
        received: The body.
        document: The object in it.
        entry: What holds for its calls.

    Raises:
        BodyError: Nothing bounds it; the message says what.
    """
    if entry.has_tokens:
        return measure_need(len(received), document, entry)
    return measure_bytes(len(received), entry, document)


def build_ask(limits: tuple[Limit, ...], need: TokenNeed, received: bytes, entry: EntryTerms) -> Ask:
    """Builds what a call asks for.

    Args:
        limits: Those that it must fit below.
        need: The most tokens that it may use.
        received: Its body.
        entry: What holds for its calls.

    Raises:
        RefusalError: Dollars are limited, and nobody knows its price.
    """
    if entry.price is None and any(limit.unit == "nanodollars" for limit in limits):
        raise RefusalError(errors.MODEL_NOT_READY, errors.RETRY_AFTER_SECONDS)
    cost = build_need(need.read * (2 if may_write_cache(received) else 1), need.written, entry.price)
    most = Need(need.read + need.written, cost.nanodollars)
    return Ask(limits, most, entry.price, len(received), entry.has_tokens)


def decide_form(terms: RouteTerms, received: bytes, content_type: str) -> Admission:
    """Decides on a body that is a form.

    Args:
        terms: What holds for the calls of its route.
        received: The body.
        content_type: The header of that name, with the boundary of the parts.

    Raises:
        RefusalError: It is no such form, or names no model.
    """
    try:
        form = read_form(received, content_type)
    except BodyError as error:
        raise RefusalError(errors.INVALID_BODY.saying(str(error))) from error
    if terms.chooses:
        name = next(iter(terms.entries)) if terms.named_by_path else form.texts.get("model")
        if name is None:
            raise RefusalError(missing_model(terms.entries, in_form=True))
        # The routes know what else the name may be: an alias, an entry of another path, nothing.
        return Admission(name, chosen={"model": name, "stream": form.texts.get("stream") == "true"})
    ((name, entry),) = terms.entries.items()
    return Admission(name, with_form_model(form, entry.model) if entry.model else None)


def choose_entry(terms: RouteTerms, received: bytes) -> tuple[str, bool]:
    """Returns the entry that the body names, and whether it asks for a stream.

    Raises:
        RefusalError: It names none of these.
    """
    try:
        document = read_json_object(received).document
    except BodyError as error:
        raise RefusalError(errors.INVALID_BODY.saying(str(error))) from error
    is_stream = document.get("stream") is True
    if terms.named_by_path:
        return next(iter(terms.entries)), is_stream
    model = document.get("model")
    if not isinstance(model, str):
        raise RefusalError(missing_model(terms.entries))
    name = terms.aliases.get(model, model)
    if name not in terms.entries:
        raise RefusalError(unknown_model(terms.entries))
    return name, is_stream
