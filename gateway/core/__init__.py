"""The pure core: no input or output, no clock, no logging; Polars, marshmallow and the standard library only."""
