"""Which references of a bundle lead nowhere, by the declarations of the CSV binding and the canonical model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from gateway.core.model import TABLES
from gateway.core.oneroster import CSV_FILES, Form, split_list

FILE_OF_TABLE = {file.table: name for name, file in CSV_FILES["1.2"].items() if file.table}


def dangling(read: Callable[[str], pl.DataFrame], names: Mapping[str, int]) -> dict[str, list[str]]:
    """The ids of the records with a reference to nowhere, by ``file.column``."""
    found = {}
    for name in names:
        file = CSV_FILES["1.2"][name]
        for column in file.taken():
            target = TABLES[file.table].column(column.column).references if file.table else None
            if target is None:
                continue
            rows = read(name).select("sourcedId", reference=column.header)
            if column.form is Form.LIST:
                rows = rows.with_columns(split_list(pl.col("reference"))).explode("reference")
            known = read(FILE_OF_TABLE[target]).select("sourcedId")
            lost = rows.drop_nulls().join(known, left_on="reference", right_on="sourcedId", how="anti")
            if lost.height:
                found[f"{name}.{column.header}"] = lost["sourcedId"].to_list()
    return found
