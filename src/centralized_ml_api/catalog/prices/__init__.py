"""What AWS asks for an hour of an instance and for a request, each price with its day and its source.

The lists are here; `aws/prices.py` chooses the one to use. `config/token_prices.py` has what tokens cost.
"""
