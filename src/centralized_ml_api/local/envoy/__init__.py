"""Envoy as the gateway: translates a `Gateway` into Envoy's configuration and runs the process.

    settings          what stays the same while Envoy runs: program, address, files, limits
    bootstrap         the file that Envoy starts with: admin interface, runtime, where the xDS files are
    listener          the one listener: HTTP limits, filters, access log
    connection_shares  how many connections a client address may have
    tls               HTTPS, and what plain HTTP is answered on the same port
    local_replies     how Envoy words its own failures, in the shape of `api.error_shape`
    routes            RDS: one route per method and path, made of these:
    direct_responses    what the gateway answers by itself, documents included
    route_action        what goes to a server: which cluster, timeouts, retries, filters
    openai              everything below /v1, routed by the body
    health            GET /health
    refused_bodies    reads and drops the body of a call that is refused
    body_metadata     reads `model` and `stream` from a body; matches on them
    jobs              calls that ask to be answered later, and where their answers are
    job_listener      where `mlapi up` makes these calls
    job_table           the route table of that listener
    joining           how a team joins: the page, and the call that goes to `mlapi up` itself
    auth_scheme       reads every spelling of `Bearer`
    api_keys          who calls, and which models a team may call
    rate_limits       ECDS, three files: how much a team, and all callers together, may call
    headers           which headers pass, as header mutations
    usual_headers     the usual lists of these, said once by a filter of the listener
    clusters          CDS and EDS: upstreams, and the ports that are ready
    aws_signing       calls to SageMaker: signed, their errors reworded (sagemaker_errors.lua)
    ca_bundle         which certificate authorities to trust
    xds               the dynamic files: their text, their version, how they get onto the disk
    xds_update        from one snapshot to the next, in an order that drops no call
    same_objects      remembers what follows from all teams
    stats             what Envoy counts
    admin             Envoy's admin interface
    validate          asks `envoy --mode validate` what is wrong
    process           `EnvoyGateway`: starts, applies, drains

Builders are pure and return JSON-able dicts in a fixed order.
Source of every field: https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/api
"""

from centralized_ml_api.local.envoy.process import EnvoyGateway
from centralized_ml_api.local.envoy.settings import Limits, Tls

__all__ = ["EnvoyGateway", "Limits", "Tls"]
