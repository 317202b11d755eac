"""What the gateway remembers: runs, plans, the ledger and leases in a database; snapshots as Parquet files."""

from __future__ import annotations

from gateway.store.database import Store, open_store

__all__ = ["Store", "open_store"]
