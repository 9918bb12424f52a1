"""What a participant sees, whichever target serves it: the shape of errors, the CORS headers."""
