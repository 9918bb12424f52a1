"""Reads from AWS who called what, how often, and what it used.

past_calls    the table of usage, from the access log and the usage plans
rows          that table from what CloudWatch counted
recent_calls  the last hour: calls and errors
spent_tokens  the tokens of each team and model
"""
