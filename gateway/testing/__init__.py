"""Contract suites and fake providers, for the connectors here and for those of others."""

from __future__ import annotations

import sys

if "pytest" in sys.modules:  # the suites' assertions explain themselves like those of any test
    sys.modules["pytest"].register_assert_rewrite(
        "gateway.testing.contract", "gateway.testing.source_contract", "gateway.testing.target_contract"
    )
