"""The REST API in a template."""

from __future__ import annotations

from support.api_gateway.document import resolve


def test_intrinsic_functions_are_resolved() -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html"""
    template = {
        "Resources": {"Fn": {"Type": "AWS::Lambda::Function"}, "One": {"Type": "AWS::SageMaker::Endpoint"}},
        "Mappings": {"Texts": {"a": {"Text": "b"}}},
    }
    value = {
        "join": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":x:", {"Ref": "AWS::Region"}]]},
        "name": {"Fn::GetAtt": ["One", "EndpointName"]},
        "arn": {"Fn::GetAtt": ["Fn", "Arn"]},
        "text": [{"Fn::FindInMap": ["Texts", "a", "Text"]}],
        "sub": {"Fn::Sub": "${AWS::AccountId}-b"},
    }
    assert resolve(value, template) == {
        "join": "arn:aws:x:us-east-1",
        "name": "One",
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:Fn",
        "text": ["b"],
        "sub": "123456789012-b",
    }
