"""Other ways to the same file, one small module each.

A peer has a `NAME`, `FORMATS` (format → function of the database's URL and the file to write), `USES` (the packages
whose versions matter), and imports what it needs at its top, so that the clock sees its work alone.
"""
