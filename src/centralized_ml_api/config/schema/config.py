"""The whole file."""

from typing import Annotated

from centralized_ml_api.config.schema.aws import Aws
from centralized_ml_api.config.schema.entry import EndpointEntry, ModelEntry
from centralized_ml_api.config.schema.event import Event
from centralized_ml_api.config.schema.written import Field, Written


class Config(Written):
    """The whole file: the models that one API serves."""

    schema_: Annotated[
        str | None,
        Field(alias="$schema", description="Ignored; for editors.", examples=["./models.schema.json"]),
    ] = None
    models: Annotated[
        list[ModelEntry], Field(description="The models to serve and to deploy.", examples=[[]])
    ] = []
    endpoints: Annotated[
        list[EndpointEntry],
        Field(
            description="What exists already: SageMaker endpoints to adopt, and models of providers.",
            examples=[[{"name": "existing-endpoint-1", "integration": {"type": "api"}}]],
        ),
    ] = []
    event: Annotated[
        Event | None,
        Field(description="Who may call, how much and until when. Without it, everybody may call."),
    ] = None

    aws: Annotated[
        Aws | None,
        Field(description="What a company's account demands: roles, tags, network, who reaches the API."),
    ] = None

    @property
    def entries(self) -> list[ModelEntry | EndpointEntry]:
        """Every entry, and so every path of the API: the models in file order, then the endpoints."""
        return [*self.models, *self.endpoints]
