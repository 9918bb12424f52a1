"""Reads what Envoy tells of a call that is over: which one it was, and how it ended. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.local.admission import envoy_messages_pb2 as envoy
from centralized_ml_api.local.admission.endings import SURE_DETAILS, Ending
from centralized_ml_api.local.admission.terms import USAGE_NAMESPACE

if TYPE_CHECKING:
    from google.protobuf.struct_pb2 import Struct

UNKNOWN_FLAG = 0
"""Stands for every response flag that is not in the messages."""


def identify_ended(entry: envoy.HttpAccessLogEntry) -> tuple[str, int]:
    """Returns what identifies the call."""
    common = entry.common_properties
    remote = common.downstream_remote_address.socket_address
    host = f"[{remote.address}]" if ":" in remote.address else remote.address
    return f"{host}:{remote.port_value}", common.start_time.ToMicroseconds()


def read_ending(entry: envoy.HttpAccessLogEntry) -> Ending:
    """Returns how the call ended."""
    common = entry.common_properties
    usage = common.metadata.filter_metadata[USAGE_NAMESPACE]
    return Ending(
        status=entry.response.response_code.value,
        flags=_read_flags(common.response_flags),
        is_sure=entry.response.response_code_details in SURE_DETAILS and "unsure" not in usage.fields,
        read=_read_tokens(usage, "in"),
        cached=_read_tokens(usage, "cached") or 0,
        cache_writes=_read_tokens(usage, "cache_writes") or 0,
        written=_read_tokens(usage, "out"),
        is_broken_off="broken_off" in usage.fields,
        bytes_out=entry.response.response_body_bytes,
    )


def _read_flags(flags: envoy.ResponseFlags) -> frozenset[int]:
    known = envoy.ResponseFlags()
    known.CopyFrom(flags)
    known.DiscardUnknownFields()
    numbers = {field.number for field, _ in known.ListFields()}
    return frozenset(numbers | ({UNKNOWN_FLAG} if known.ByteSize() != flags.ByteSize() else set()))


def _read_tokens(usage: Struct, name: str) -> int | None:
    return int(usage.fields[name].number_value) if name in usage.fields else None
