"""What an organizer sees of a deployed stack on the screen, and does with it there or by the verbs.

acts            everything that can be done, noted in the journal
board           what the screen asks AWS, and how rarely
board_document  what it shows
"""
