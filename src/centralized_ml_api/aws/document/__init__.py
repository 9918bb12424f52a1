"""Extends the public OpenAPI document with how API Gateway answers each path. Pure, without the CDK.

Values that only CloudFormation knows (endpoint names, ARNs) come in as texts, CDK tokens included.
"""
