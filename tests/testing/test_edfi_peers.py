"""Two clients that others wrote, unmodified, against the fake Ed-Fi host: a check on the fake.

Off unless ``MASTERY_GATEWAY_PEERS=1``, because it installs the clients from the package index, once, into an
environment of their own under the user's cache folder. They agree with what the fake imitates as far as they go.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.testing.edfi import FakeEdFi
from gateway.testing.edfi.district import furnished
from gateway.testing.edfi.sample import SCHOOL, YEAR, uri
from gateway.testing.wsgi import serve
from tests.testing.edfi_peer_environment import NotInstallableError, peer_programs

COUNT = 120

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.environ.get("MASTERY_GATEWAY_PEERS") != "1", reason="MASTERY_GATEWAY_PEERS=1 runs it"),
]


@pytest.fixture(scope="module")
def peers() -> Path:
    """The programs folder of the environment with both clients; the tests are skipped if it cannot be made."""
    try:
        return peer_programs()
    except NotInstallableError as error:
        pytest.skip(f"the clients cannot be installed: {error}")


@pytest.fixture(params=["7.3", "7.1", "6.1"])
def remote(request: pytest.FixtureRequest) -> FakeEdFi:
    return furnished(FakeEdFi(request.param), students=COUNT)


@pytest.fixture
def address(remote: FakeEdFi) -> Iterator[str]:
    with serve(remote) as url:
        yield url


def test_edfi_api_client_reads_by_cursor_and_by_offset_and_writes(peers: Path, remote: FakeEdFi, address: str) -> None:
    students = [row["studentUniqueId"] for row in remote.rows("students")]
    script = Path(__file__).with_name("edfi_peer.py")
    command = [peers / "python", script, address, remote.gate.key, remote.gate.secret]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["version"] == remote.version
    assert found["standard"].startswith(remote.standard)
    assert found["total"] == COUNT
    assert found["rows"] == found["offset"] == students
    assert sorted(found["stepped"]) == sorted(students)
    assert found["resources"] == sorted(set(remote.data.model.resources) - set(remote.data.model.descriptors))
    assert found["descriptors"] == len(remote.data.model.descriptors)
    assert found["deletes"] is True
    assert (found["statuses"], found["name"]) == ([201, 204, 204], "Eve")
    assert found["deleted"] == [{"studentUniqueId": "peer"}]
    assert found["key_changes"] == ["ALG-1-01-moved"]


def records() -> dict[str, list[dict[str, Any]]]:
    """Students with enrolments, and a grade point average each, the last of a type that the host does not have."""
    keys = [f"L{number}" for number in range(30)]
    return {
        "students": [
            {"studentUniqueId": key, "firstName": "Ada", "lastSurname": "Bell", "birthDate": "2011-05-01"}
            for key in keys
        ],
        "studentSchoolAssociations": [
            {
                "studentReference": {"studentUniqueId": key},
                "schoolReference": {"schoolId": SCHOOL},
                "entryDate": "2026-08-24",
                "entryGradeLevelDescriptor": uri("gradeLevel", "Ninth grade"),
            }
            for key in keys
        ],
        "studentAcademicRecords": [
            {
                "studentReference": {"studentUniqueId": key},
                "educationOrganizationReference": {"educationOrganizationId": SCHOOL},
                "schoolYearTypeReference": {"schoolYear": YEAR},
                "termDescriptor": uri("term", "Fall Semester"),
                "gradePointAverages": [
                    {
                        "gradePointAverageTypeDescriptor": uri(
                            "gradePointAverageType", "NCAA" if key == keys[-1] else "Unweighted"
                        ),
                        "gradePointAverageValue": 3.25,
                    }
                ],
            }
            for key in keys
        ],
    }


class Lightbeam:
    """The other client, run by its command line in a folder."""

    def __init__(self, peers: Path, folder: Path, remote: FakeEdFi, address: str) -> None:
        self._program = peers / "lightbeam"
        self._folder = folder
        self._settings = {
            "edfi_api": {
                "base_url": address, "version": 3, "mode": "shared_instance", "client_id": remote.gate.key,
                "client_secret": remote.gate.secret,
            },
            "connection": {
                "pool_size": 8, "timeout": 60, "num_retries": 3, "backoff_factor": 1.5, "verify_ssl": False,
                "retry_statuses": [429, 500, 501, 503, 504],
            },
            "fetch": {"page_size": 50},
            "validate": {"methods": ["schema", "descriptors", "uniqueness", "references"]},
        }  # fmt: skip

    def run(self, command: str, data: Path, *more: str) -> dict[str, Any]:
        """The structured result of a command."""
        config, results = self._folder / "lightbeam.yaml", self._folder / "results.json"
        config.write_text(json.dumps({**self._settings, "data_dir": str(data)}))  # JSON is YAML
        results.unlink(missing_ok=True)
        line = [self._program, command, "-c", config, "--results-file", results, *more]
        answer = subprocess.run(line, capture_output=True, text=True, timeout=120, input="yes\n")
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return dict(json.loads(results.read_text())) if results.exists() else {}


def test_lightbeam_validates_sends_fetches_and_deletes(
    peers: Path, remote: FakeEdFi, address: str, tmp_path: Path
) -> None:
    given, fetched = tmp_path / "given", tmp_path / "fetched"
    for folder in (given, fetched):
        folder.mkdir()
    for resource, bodies in records().items():
        (given / f"{resource}.jsonl").write_text("".join(f"{json.dumps(body)}\n" for body in bodies))
    client = Lightbeam(peers, tmp_path, remote, address)
    selector = ("-s", ",".join(records()))

    client.run("send", given, *selector)  # first, so that the references are there to be validated
    before = dict(remote.effects)
    assert Counter(resource for resource, _ in before) == {
        "students": 30,
        "studentSchoolAssociations": 30,
        "studentAcademicRecords": 29,
    }
    assert set(before.values()) == {1}
    sent = client.run("validate+send", given, *selector)["resources"]
    assert remote.effects == before
    for resource in ("students", "studentSchoolAssociations"):
        assert sent[resource]["successes"] == [{"status_code": 200, "count": 30}], resource
    (failure,) = sent["studentAcademicRecords"]["failures"]
    assert (failure["status_code"], failure["line_numbers"]) == (400, [30])
    assert "NCAA" in failure["message"] or not remote.data.profile.problem_details

    client.run("fetch", fetched, "-s", "students,studentAcademicRecords")
    for resource, count in (("students", COUNT + 30), ("studentAcademicRecords", COUNT + 29)):
        assert len((fetched / f"{resource}.jsonl").read_text().splitlines()) == count

    client.run("delete", given, *selector)
    for resource in records():
        assert len(remote.rows(resource)) == COUNT, resource
