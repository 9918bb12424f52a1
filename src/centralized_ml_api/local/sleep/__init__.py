"""Decides which models sleep and which are awake, and remembers how long each takes to wake. Starts nothing.

schedule     who wakes, who goes to sleep, who is next in a group
sleeper      one entry: what it does, who wants it, how often it failed
wake_times   how long models of this machine took to wake, in the state folder
"""
