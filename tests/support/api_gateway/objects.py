"""What the CDK CLI would have put into S3: the files of a cloud assembly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.api_gateway.document import PSEUDO_PARAMETERS
from support.api_gateway.message import Response

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MISSING = b"<Error><Code>AccessDenied</Code></Error>"


def read_objects(output: Path, stack: str) -> dict[str, bytes]:
    """The content of each asset that is one file, by `<bucket>/<key>`.

    Source: https://docs.aws.amazon.com/cdk/v2/guide/assets.html
    """
    manifest = json.loads((output / f"{stack}.assets.json").read_text())
    return {
        _filled(f"{place['bucketName']}/{place['objectKey']}"): (output / file["source"]["path"]).read_bytes()
        for file in manifest["files"].values()
        if file["source"]["packaging"] == "file"
        for place in file["destinations"].values()
    }


def _filled(place: str) -> str:
    for name, value in PSEUDO_PARAMETERS.items():
        place = place.replace(f"${{{name}}}", value)
    return place


def read_object(objects: Mapping[str, bytes], place: str, method: str) -> Response:
    """S3's answer; one who may not list the bucket is not told that an object is missing.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html and
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    """
    content = objects.get(place)
    if content is None:
        return Response(403, (("Content-Type", "application/xml"),), _MISSING)
    body = b"" if method == "HEAD" else content
    return Response(200, (("Content-Type", "binary/octet-stream"),), body)
