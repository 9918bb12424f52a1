"""`Content-Type`, `Accept` and the configured ones reach the model; nothing else does, credentials least."""

from __future__ import annotations

from contract.case import Case, Expected, Request, Saw

NOBODYS_BUSINESS = {
    "Authorization": "Bearer secret",
    "Proxy-Authorization": "Basic secret",
    "Cookie": "session=secret",
    "X-Api-Key": "secret",
    "X-Amz-Security-Token": "secret",
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Request-Id": "mine",
    "User-Agent": "a browser",
    "Accept-Encoding": "gzip",
    "Origin": "https://page.example",
    "Referer": "https://page.example/x",
    "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "X-Amzn-SageMaker-Target-Model": "near",
}
_PASSING = {"Content-Type": "a/b", "Accept": "c/d", "X-Amzn-SageMaker-Custom-Attributes": "trace=1"}
CASES = [
    Case(
        "Content-Type, Accept and the configured headers reach the model",
        Request("/echo", headers=_PASSING),
        Expected(200, Saw({name.lower(): value for name, value in _PASSING.items()})),
    ),
    Case(
        "no other header reaches the model",
        Request("/echo", headers={"Content-Type": "a/b", **NOBODYS_BUSINESS}),
        Expected(200, Saw({"content-type": "a/b"})),
    ),
    Case(
        "a missing Content-Type is application/json",
        Request("/echo"),
        Expected(200, Saw({"content-type": "application/json"})),
    ),
    Case(
        "a model never sees the query",
        Request("/echo?secret=1"),
        Expected(200, Saw({"content-type": "application/json"}, path="/echo")),
    ),
]
