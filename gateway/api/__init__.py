"""The HTTP API: mapping and GPA for vendors, and the open standards served. A thin face: no rule lives here."""
