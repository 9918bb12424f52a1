"""The code of the Lambda function that lets teams join, which is shipped with the rules that it needs."""
