"""What an organizer does and sees while an event runs, whichever target serves it.

journal       what organizers did
grant         what a team may use on top of its limits
wanted        what an act is to be done with
board_server  the page on loopback, for whoever has the link
board_shape   what both targets show alike
"""
