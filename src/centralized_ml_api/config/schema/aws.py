"""What a company's account demands of a deployment: `aws`. One machine acts on none of it."""

from typing import Annotated

from centralized_ml_api.config.schema.base import hint
from centralized_ml_api.config.schema.written import Field, Written

ARN_PATTERN = r"^arn:aws[a-z-]*:"
_CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1a2b3c4d-1111-2222-3333-444455556666"
_WEB_ACL = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/Ours/1a2b3c4d-1111-2222-3333-444455556666"

LOG_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545),
    *(731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""

Subnet = Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")]
SecurityGroup = Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$")]
VpcEndpoint = Annotated[str, Field(pattern=r"^vpce-[0-9a-f]{8,17}$")]


class Vpc(Written):
    """The network in which models and functions run."""

    subnets: Annotated[
        list[Subnet],
        Field(
            min_length=1,
            max_length=16,
            description="Subnets, best in two availability zones. From them S3, ECR, CloudWatch Logs and "
            "SageMaker's runtime must be reachable: by VPC endpoints or a NAT gateway.",
            examples=[["subnet-0a1b2c3d4e5f60718", "subnet-0f1e2d3c4b5a69788"]],
        ),
    ]
    security_groups: Annotated[
        list[SecurityGroup],
        Field(
            min_length=1, max_length=5, description="Security groups.", examples=[["sg-0a1b2c3d4e5f60718"]]
        ),
    ]
    isolation: Annotated[
        bool,
        Field(
            description="Whether the containers of all models have no network at all; packages never have.",
            examples=[True],
        ),
    ] = False


class Domain(Written):
    """A name of your own for the API."""

    name: Annotated[
        str,
        Field(
            pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$",
            description="The name. After the deploy, make it a CNAME of what `mlapi deploy` prints.",
            examples=["models.example.com"],
        ),
    ]
    certificate: Annotated[
        str,
        Field(
            description="The ARN of its certificate in ACM, in the region of the deployment.",
            examples=[_CERTIFICATE],
            json_schema_extra=hint(pattern=ARN_PATTERN),
        ),
    ]


class Aws(Written):
    """What a company's account demands of a deployment. One machine acts on none of it."""

    permissions_boundary: Annotated[
        str | None,
        Field(
            description="The ARN of the IAM policy that bounds every role of the stack.",
            examples=["arn:aws:iam::123456789012:policy/Boundary"],
            json_schema_extra=hint(pattern=ARN_PATTERN),
        ),
    ] = None
    execution_role: Annotated[
        str | None,
        Field(
            description="The ARN of an existing role under which SageMaker runs the models, where you may "
            "not make one. It must be allowed to pull the images, read the artifacts, and write logs and "
            "metrics.",
            examples=["arn:aws:iam::123456789012:role/SageMakerExecution"],
            json_schema_extra=hint(pattern=ARN_PATTERN),
        ),
    ] = None
    tags: Annotated[
        dict[str, str],
        Field(
            description="Tags of the stack, which CloudFormation gives to everything in it that has tags.",
            examples=[{"CostCenter": "1234", "Owner": "data-science"}],
        ),
    ] = {}
    vpc: Annotated[
        Vpc | None,
        Field(
            description="The network in which models and functions run.",
            examples=[
                {"subnets": ["subnet-0a1b2c3d4e5f60718"], "security_groups": ["sg-0a1b2c3d4e5f60718"]},
            ],
        ),
    ] = None
    log_retention_days: Annotated[
        int,
        Field(
            ge=LOG_DAYS[0],
            le=LOG_DAYS[-1],
            description="How long CloudWatch keeps the logs; one of the numbers of days that it takes.",
            examples=[90],
            json_schema_extra=hint(enum=list(LOG_DAYS)),
        ),
    ] = 30
    allow_from: Annotated[
        list[str],
        Field(
            description="The networks from which calls are accepted; without it, every address may call.",
            examples=[["203.0.113.0/24"]],
        ),
    ] = []
    private: Annotated[
        list[VpcEndpoint],
        Field(
            max_length=20,
            description="The VPC endpoints (of the service `execute-api`) through which, and through nothing "
            "else, the API is reachable. Without it, the API is on the internet.",
            examples=[["vpce-0a1b2c3d4e5f60718"]],
        ),
    ] = []
    waf_acl: Annotated[
        str | None,
        Field(
            description="The ARN of a regional web ACL of AWS WAF that filters the calls.",
            examples=[_WEB_ACL],
            json_schema_extra=hint(pattern=ARN_PATTERN),
        ),
    ] = None
    domain: Annotated[
        Domain | None,
        Field(
            description="A name of your own for the API.",
            examples=[{"name": "models.example.com", "certificate": _CERTIFICATE}],
        ),
    ] = None
    integration_timeout: Annotated[
        Annotated[int, Field(ge=29, le=300)] | None,
        Field(
            description="Seconds that the API waits for a model or a function, 29 by default. More needs a "
            'raised quota first: "Maximum integration timeout in milliseconds" of API Gateway.',
            examples=[120],
        ),
    ] = None
    jobs: Annotated[
        bool,
        Field(
            description="Whether calls with `Prefer: respond-async` become jobs, which run for up to 15 "
            "minutes and whose answers are kept. One machine always has jobs.",
            examples=[True],
        ),
    ] = False
