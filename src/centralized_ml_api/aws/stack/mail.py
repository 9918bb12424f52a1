"""Whether the organizer hears of alarms and of an end that fails: the address of a deployed stack's topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.stack.deployed_stack import StackResource

TOPIC = "AWS::SNS::Topic"
_PENDING = "PendingConfirmation"
"""What SNS says instead of the ARN of a subscription that nobody has confirmed.

Source: https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
"""


@dataclass(frozen=True, slots=True)
class MailSubscription:
    """The topic of a stack, by its ARN, and who hears of it.

    `address` is empty where nobody is subscribed: SNS deletes what is not confirmed within two days.
    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html
    """

    topic: str
    state: Literal["confirmed", "pending", "absent"]
    address: str = ""

    @property
    def trouble(self) -> str:
        """What is wrong, in words without a full stop; empty where mails arrive."""
        consequence = "nobody is told of alarms, or of an end that fails"
        match self.state:
            case "pending":
                return f"{self.address} has not confirmed AWS's first mail, so {consequence}"
            case "absent":
                return f"nobody is subscribed to the stack's mails, so {consequence}"
        return ""

    def build_fix(self, region: str, email: str = "") -> str:
        """Returns what to do: confirm the mail, or have it sent again to `email`."""
        to = self.address or email or "<address>"
        again = f"aws sns subscribe --topic-arn {self.topic} --protocol email --notification-endpoint {to}"
        again = f"{again} --region {region}"
        if self.state == "pending":
            return f"open the mail from AWS Notifications and confirm it; to have it sent again: {again}"
        return f"{again}, then confirm the mail"


def load_subscription(clients: AwsClients, resources: Iterable[StackResource]) -> MailSubscription | None:
    """Returns who hears of a stack with these resources, None where it has no topic.

    Raises:
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    topic = next((each.physical_id for each in resources if each.type == TOPIC and each.physical_id), None)
    if topic is None:
        return None
    found: list[dict[str, Any]] = clients.client("sns").list_subscriptions_by_topic(TopicArn=topic)[
        "Subscriptions"
    ]
    mails = [each for each in found if each["Protocol"] == "email"]
    confirmed = [each for each in mails if each["SubscriptionArn"].startswith("arn:")]
    if confirmed:
        return MailSubscription(topic, "confirmed", confirmed[0]["Endpoint"])
    pending = [each for each in mails if each["SubscriptionArn"] == _PENDING]
    if pending:
        return MailSubscription(topic, "pending", pending[0]["Endpoint"])
    return MailSubscription(topic, "absent")
