"""OneRoster served: rosters (1.1 and 1.2) and the gradebook (1.2), from a district's last good snapshot.

Source: 1EdTech OneRoster 1.2 rostering and gradebook services (OpenAPI, final release); OneRoster 1.1.
"""
