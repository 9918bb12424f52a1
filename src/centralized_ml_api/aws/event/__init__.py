"""Changes who may call a deployed stack, how much and what, while the event runs and without a deploy.

keys               the keys of its teams
joining            who has joined, and who may
join_item          the item that says so
pauses             what is refused for a while
grants             what a team may use on top of its limits
messages           what is said to everybody
waking             models that sleep
function_variable  the variable that tells a function of pauses and messages
"""
