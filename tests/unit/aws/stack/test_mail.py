"""Who hears of a deployed stack, and what to do where nobody does."""

from __future__ import annotations

import pytest

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.stack.deployed_stack import StackResource
from centralized_ml_api.aws.stack.mail import TOPIC, load_subscription
from support.aws_wire import AwsWire, subscriptions

ARN = "arn:aws:sns:us-east-1:123456789012:Mail"
SUBSCRIBE = f"aws sns subscribe --topic-arn {ARN} --protocol email --notification-endpoint you@example.com"
SUBSCRIBE += " --region us-east-1"
CONSEQUENCE = "nobody is told of alarms, or of an end that fails"
TOPICS = [StackResource(TOPIC, "Soon", ""), StackResource(TOPIC, "Mail", ARN)]


@pytest.mark.parametrize(
    ("found", "state", "trouble", "fix"),
    [
        ([("PendingConfirmation", "email"), (f"{ARN}:1", "email")], "confirmed", "", ""),
        (
            [("PendingConfirmation", "email")],
            "pending",
            f"you@example.com has not confirmed AWS's first mail, so {CONSEQUENCE}",
            f"open the mail from AWS Notifications and confirm it; to have it sent again: {SUBSCRIBE}",
        ),
        (
            [("Deleted", "email"), (f"{ARN}:1", "https")],
            "absent",
            f"nobody is subscribed to the stack's mails, so {CONSEQUENCE}",
            f"{SUBSCRIBE}, then confirm the mail",
        ),
    ],
    ids=["confirmed", "pending", "absent"],
)
def test_whether_mails_arrive(
    aws: AwsWire, found: list[tuple[str, str]], state: str, trouble: str, fix: str
) -> None:
    aws.answers["sns.ListSubscriptionsByTopic"] = subscriptions(*found)
    mail = load_subscription(AwsClients("us-east-1"), TOPICS)
    assert mail
    assert (mail.state, mail.trouble) == (state, trouble)
    if trouble:
        assert mail.build_fix("us-east-1", "you@example.com") == fix


def test_a_stack_without_a_topic_mails_nobody(aws: AwsWire) -> None:
    assert (
        load_subscription(AwsClients("us-east-1"), [StackResource("AWS::SNS::TopicPolicy", "P", "p")]) is None
    )
    assert aws.asked == []
