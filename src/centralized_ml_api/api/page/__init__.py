"""The page at `/`: one HTML document with its styles, its scripts and the libraries that they use in it.

The page at `/join`, by which teams join, and the organizer's screen are made of the same parts by `build`.
"""
