"""Translates the plan into CloudFormation, one noun a file; decides nothing."""
