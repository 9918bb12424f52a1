"""What AWS asks for an hour of an instance and for a request, each price with its day and its source.

The lists are here; `aws/planning/instance_prices.py` chooses the one to use. What tokens cost is in
`config/token_prices.py`.
"""
