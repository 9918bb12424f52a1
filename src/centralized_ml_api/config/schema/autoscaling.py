"""How many instances a model has on AWS, whether there may be none, and what a copy then reserves."""

from typing import Annotated

from centralized_ml_api.config.schema.base import Count
from centralized_ml_api.config.schema.written import Field, Written


class CopyResources(Written):
    """What one copy of a model reserves of an instance, for a model that sleeps on AWS.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_InferenceComponentComputeResourceRequirements.html
    """

    memory_mb: Annotated[
        int,
        Field(
            ge=128,
            le=2_147_483_647,
            description="Memory in MB. It is reserved, not a limit: a copy may use more. An instance offers "
            "much less than it has.",
            examples=[1024],
        ),
    ]
    accelerators: Annotated[
        Count | None,
        Field(description="GPUs or other accelerators; without it, a copy gets none.", examples=[1]),
    ] = None
    cpu_cores: Annotated[float | None, Field(ge=0.25, le=1_000, description="CPU cores.", examples=[2])] = (
        None
    )


class Autoscaling(Written):
    """How many instances SageMaker may run for a model. Without this block there is always one."""

    min_capacity: Annotated[
        int,
        Field(
            ge=0,
            le=2_147_483_647,
            description="The smallest number of instances. With `0` the model sleeps while nobody calls it: "
            "no instance runs, and the first call wakes it, which takes minutes.",
            examples=[1],
        ),
    ]
    max_capacity: Annotated[
        Count, Field(description="The largest number of instances; at least `min_capacity`.", examples=[2])
    ]
    invocations_per_instance: Annotated[
        Count,
        Field(
            description="Calls per minute and instance above which another instance is started.", examples=[5]
        ),
    ]
    resources: Annotated[
        CopyResources | None,
        Field(
            description="With a `min_capacity` of 0: what a copy of the model reserves of an instance. By "
            "default what JumpStart says of its model; required for others.",
            examples=[{"memory_mb": 1024, "accelerators": 1}],
        ),
    ] = None
