"""Envoy as the gateway: a translation of `Gateway` into Envoy's own configuration, and the process.

    settings    what does not change while Envoy runs: where it listens, where its files are, the limits
    bootstrap   the file Envoy starts with: admin, runtime, where the dynamic files are
    listener    the one listener: HTTP limits, filters, access log
    replies     the bodies Envoy itself answers with, in the shape of `api.error_shape`
    routes      (dynamic) one route per method and path: the table, with these parts
    answers     what the gateway answers by itself;  served: what goes to a server
    documents   the page, the catalogue, the OpenAPI document
    openai      what is below /v1, by the body;  said: how that is read
    signed      calls to SageMaker: signed, and its errors worded (sagemaker_errors.lua)
    keys        who calls, and what a team may call;  limits: (dynamic, three files) how much
    headers     which headers pass, as mutations;  complement: "all names but these" as a regex
    clusters    (dynamic) one per upstream;  endpoints: (dynamic, a file each) the ports that are ready
    discovery   the dynamic files: text and version
    traffic     what Envoy counts of the calls
    admin       Envoy's admin interface
    socket_path a socket in a folder with a long name
    writing     the files on disk, each put in place at once
    update      from one snapshot to the next, in the order that drops nothing
    whole       everything as one static file, for `envoy --mode validate`
    process     `EnvoyGateway`: starts, applies, drains

Builders are pure and give JSON-able dicts in a fixed order.
Source of every field: https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/api
"""

from centralized_ml_api.local.envoy.process import EnvoyGateway
from centralized_ml_api.local.envoy.settings import Limits

__all__ = ["EnvoyGateway", "Limits"]
