"""What edfi_api_client reads from a host and does there, as one line of JSON; run by that client's own interpreter.

python edfi_peer.py ADDRESS KEY SECRET
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any


def visit(address: str, key: str, secret: str) -> dict[str, Any]:
    from edfi_api_client import EdFiClient

    client = EdFiClient(address, key, secret)
    students = client.resource("students")
    newest = client.get_newest_change_version()
    window = client.resource("students", min_change_version=0, max_change_version=newest)
    stepped = window.get_pages(page_size=50, step_change_version=True, change_version_step_size=100)
    found: dict[str, Any] = {
        "version": client.get_ods_version(),
        "standard": client.get_data_model_version(),
        "total": students.get_total_count(),
        "rows": _keys(students.get_rows(page_size=50)),  # by cursor where the host has it
        "offset": _keys(row for page in students.get_pages(page_size=50) for row in page),
        "stepped": _keys(row for page in stepped for row in page),
        "resources": sorted(name for _, name in client.resources),
        "descriptors": len(client.descriptors),
        "deletes": client.resource("students").has_deletes,
    }
    body = {"studentUniqueId": "peer", "firstName": "Ada", "lastSurname": "Bell", "birthDate": "2011-05-01"}
    created = client.session.post_response(students.url, data=body)
    id_ = created.headers["Location"].rpartition("/")[2]
    changed = client.session.put_response(students.url, id_, {"id": id_, **body, "firstName": "Eve"})
    found["name"] = students.get_by_id(id_)["firstName"]
    deleted = client.session.delete_response(students.url, id_)
    found["statuses"] = [created.status_code, changed.status_code, deleted.status_code]
    found["deleted"] = [row["keyValues"] for row in client.resource("students", get_deletes=True).get_rows()]
    sections = client.resource("sections")
    section = next(iter(sections.get_rows()))
    moved = {name: value for name, value in section.items() if not name.startswith("_")}
    moved["sectionIdentifier"] += "-moved"
    client.session.put_response(sections.url, section["id"], moved)
    changes = client.resource("sections", get_key_changes=True).get_rows()
    found["key_changes"] = [row["newKeyValues"]["sectionIdentifier"] for row in changes]
    return found


def _keys(rows: Any) -> list[str]:
    return [row["studentUniqueId"] for row in rows]


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    print(json.dumps(visit(*sys.argv[1:4])))
