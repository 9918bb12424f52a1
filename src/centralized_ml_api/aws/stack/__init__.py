"""A deployed stack as AWS has it: what it is made of, how it is, when it ends, and what it still lacks.

contract        what its template writes for the rest to read
deployed_stack  its template, outputs, resources and teams
live_endpoints  whether its endpoints are what it says
ending          the schedules that delete it
mail            whether the organizer hears of its alarms
provider_keys   its secrets for the keys of providers
status          all of that as data
"""
