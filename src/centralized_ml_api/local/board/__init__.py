"""The organizer's screen: what it shows, and its page on loopback, for whoever has the link.

history   how much was called in the last hour
document  everything that the page shows, from what status, usage and traffic already know
server    the page and the document, for the token of this run alone
"""
