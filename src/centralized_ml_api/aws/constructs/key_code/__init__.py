"""The code of a Lambda function, which imports nothing of ours."""
