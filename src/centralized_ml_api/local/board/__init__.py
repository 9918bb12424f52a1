"""What the organizer's screen shows of one machine; `organizer` has the screen itself.

history   how much was called in the last hour
document  everything that the page shows, from what status, usage and traffic already know
"""
