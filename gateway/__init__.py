"""mastery-gateway: from student information systems to mastery learning and back."""

from __future__ import annotations

__version__ = "0.1.0"
