"""The API for any WSGI server: ``gateway.api.wsgi:application``.

The districts' files stand in the environment variable ``MASTERY_GATEWAY_DISTRICTS``, separated like a path.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from gateway.api.app import create_app
from gateway.api.sites import open_sites

FILES = "MASTERY_GATEWAY_DISTRICTS"

application = create_app(
    open_sites(Path(file) for file in os.environ.get(FILES, "gateway.yaml").split(os.pathsep)),
    now=lambda: datetime.now(UTC),
)
