"""The command line: a thin face; no rule lives here.

A command's module is imported when the command is called, and what is heavy (Polars, SQLAlchemy, marshmallow,
requests) inside its function, so that every ``--help`` answers at once.
"""
