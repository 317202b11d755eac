"""Open Badges 3.0 and CLR 2.0: what students did, as credentials that can be verified without asking anyone."""
