"""SageMaker as far as it tells how endpoints and inference components are, over HTTP.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html
and https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeInferenceComponent.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

REFUSALS = {
    "ThrottlingException": "Rate exceeded",
    "AccessDeniedException": "User is not authorized to perform: sagemaker:DescribeEndpoint",
}


@dataclass
class SageMakerEndpoints:
    """`statuses` by the names of the endpoints: one of SageMaker's, or a key of `REFUSALS`.

    `copies` makes a name that of a component: how many copies it is to have, and has. It is what a model
    server answers with; `asked` are the names of all calls, `most_at_once` how many calls were open together.
    """

    statuses: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    most_at_once: int = 0
    copies: dict[str, tuple[int, int]] = field(default_factory=dict)
    _open: int = 0

    async def __call__(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """Answers one call."""
        kind = request.headers["X-Amz-Target"].removeprefix("SageMaker.Describe")
        name = json.loads(body)[f"{kind}Name"]
        self.asked.append(name)
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        try:
            response = self._answer(kind, name)
            await response.prepare(request)
            await response.write_eof()
            return response
        finally:
            self._open -= 1

    def _answer(self, kind: str, name: str) -> web.Response:
        status = self.statuses.get(name)
        if status is None:
            return _refuse("ValidationException", f'Could not find endpoint "arn:aws:sagemaker:::{name}".')
        if status in REFUSALS:
            return _refuse(status, REFUSALS[status])
        described: dict[str, Any] = {f"{kind}Name": name, f"{kind}Status": status}
        if name in self.copies:
            wanted, there = self.copies[name]
            described["RuntimeConfig"] = {"DesiredCopyCount": wanted, "CurrentCopyCount": there}
        return _say(200, described)


def _refuse(kind: str, message: str) -> web.Response:
    return _say(400, {"__type": kind, "message": message})


def _say(status: int, value: dict[str, Any]) -> web.Response:
    return web.Response(
        status=status, text=json.dumps(value), content_type="application/x-amz-json-1.1", charset="utf-8"
    )
