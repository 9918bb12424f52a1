"""Which regions have JumpStart, and its buckets there."""

from __future__ import annotations

from centralized_ml_api.catalog.failures import UnavailableError
from centralized_ml_api.catalog.suggestion import closest
from centralized_ml_api.record import record

REGIONS = frozenset(
    {
        "af-south-1",
        "ap-east-1",
        "ap-east-2",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-south-2",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-6",
        "ap-southeast-7",
        "ca-central-1",
        "ca-west-1",
        "cn-north-1",
        "cn-northwest-1",
        "eu-central-1",
        "eu-central-2",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "eu-isoe-west-1",
        "eusc-de-east-1",
        "il-central-1",
        "me-central-1",
        "me-south-1",
        "me-west-1",
        "mx-central-1",
        "sa-east-1",
        "sa-west-1",
        "us-east-1",
        "us-east-2",
        "us-gov-east-1",
        "us-gov-west-1",
        "us-iso-east-1",
        "us-isob-east-1",
        "us-isof-east-1",
        "us-isof-south-1",
        "us-west-1",
        "us-west-2",
    }
)
"""Every region with JumpStart.

Source: `region_config.json` of sagemaker-core 2.27.0 (https://pypi.org/project/sagemaker-core/).
"""

_DOMAINS = {
    "cn-": "amazonaws.com.cn",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
}
"""The domain of each partition that has its own, by the first letters of its regions.

Source: https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html and the
partition table of botocore (`endpoints.json`).
"""


@record
class Buckets:
    """JumpStart's buckets of one region: `content` is public, `gated` requires an accepted licence."""

    region: str
    content: str
    gated: str
    domain: str

    @property
    def content_url(self) -> str:
        """The public bucket's address, without a slash at the end."""
        return f"https://{self.content}.s3.{self.region}.{self.domain}"


def find_buckets(region: str) -> Buckets:
    """Returns the buckets of a region (rule 1).

    Source: `region_config.json` of sagemaker-core 2.27.0: the same two names in each region.

    Raises:
        UnavailableError: JumpStart is not in that region.
    """
    if region not in REGIONS:
        near = closest(region, REGIONS, 1)
        raise UnavailableError(
            f"JumpStart is not available in {region}",
            found=f"the region {region}, without JumpStart",
            expected=f"one of {', '.join(sorted(REGIONS))}",
            fix=f"deploy to {near[0] if near else 'us-east-1'}",
        )
    return Buckets(
        region, f"jumpstart-cache-prod-{region}", f"jumpstart-private-cache-prod-{region}", domain_of(region)
    )


def domain_of(region: str) -> str:
    """Returns the domain of a region's services: `amazonaws.com` except in a few partitions."""
    return next((name for start, name in _DOMAINS.items() if region.startswith(start)), "amazonaws.com")
