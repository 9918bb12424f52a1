"""Code of a Lambda function; it imports nothing of ours."""
