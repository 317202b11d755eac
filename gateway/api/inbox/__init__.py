"""The district's inbox: gradebook records that products write over OneRoster 1.2, read tolerantly and kept.

Nothing of it changes the district's own data: a record goes on when somebody exports it.
"""
