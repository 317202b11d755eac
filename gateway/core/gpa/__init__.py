"""GPA policies: read and check them, compute GPAs, explain every one line by line."""
