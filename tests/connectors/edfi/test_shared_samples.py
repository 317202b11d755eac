"""The Grand Bend sample of Ed-Fi: taken in by the fake host through its own door, and pulled by the connector."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import pytest

from gateway.core.case import check_packages
from gateway.core.framework import Framework
from gateway.core.model import empty
from gateway.testing.edfi import Claims, EdFiGate, FakeEdFi
from gateway.testing.edfi.host import ENCODER
from gateway.testing.edfi.metadata import dependencies
from gateway.testing.edfi.model import model_of
from tests.connectors.edfi.source_stand import SourceStand, rejected
from tests.connectors.edfi.test_source_rows import RUBRICS
from tests.testing.edfi_bulk import records
from tests.testing.edfi_client import Client

FILES = ("EducationOrganization", "Standards", "Student", "StudentGradebook")
READ = (
    "educationServiceCenters", "localEducationAgencies", "schools", "courses", "learningStandards",
    "learningStandardEquivalenceAssociations", "people", "students", "gradebookEntries", "studentGradebookEntries",
)  # fmt: skip
STANDARDS, STUDENTS = 5_597, 960


class Sample:
    """The sample's records, and a host that has taken them in."""

    def __init__(self, folder: Path) -> None:
        self.host = FakeEdFi("7.3", gate=EdFiGate(claims=Claims(prefixes=("uri://ed-fi.org", "uri://gbisd.edu"))))
        self.client = Client(self.host)
        self.own_words: set[str] = set()
        model = model_of("5.2")
        lists = sorted((folder / "descriptors52").glob("*.xml"))
        self.lists = {file.stem for file in lists}
        for file in lists:
            for resource, body in records(file, model):
                self.post(resource, body)
        bodies: dict[str, list[dict[str, Any]]] = {}
        for name in FILES:
            for resource, body in records(folder / "sample_xml52" / f"{name}.xml", model):
                bodies.setdefault(resource, []).append(body)
        self.bodies = bodies
        orders = {step["resource"].rpartition("/")[2]: step["order"] for step in reversed(dependencies("5.2"))}
        for resource in sorted(READ, key=lambda name: orders[name]):
            if resource == "gradebookEntries":
                self._post_section()
            for body in bodies[resource]:
                if resource != "learningStandards":
                    self._post_words(resource, body)
                self._post_person(body)
                self.post(resource, body)

    def post(self, resource: str, body: dict[str, Any]) -> None:
        status, answer = self.answer(resource, body)
        assert status.startswith(("200", "201")), (resource, answer)

    def answer(self, resource: str, body: dict[str, Any]) -> tuple[str, bytes]:
        """What the host answers to a POST, without the cost of a client for each of thousands."""
        text = ENCODER.encode(body)
        parts = urlsplit(self.client.url(resource))
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": parts.path, "QUERY_STRING": "", "HTTP_HOST": parts.netloc,
            "wsgi.url_scheme": parts.scheme, "wsgi.input": BytesIO(text), "CONTENT_LENGTH": str(len(text)),
            "CONTENT_TYPE": "application/json",
            "HTTP_AUTHORIZATION": self.client.session.headers["Authorization"],
        }  # fmt: skip
        told: list[str] = []
        answer = self.host(environ, lambda status, headers, error=None: told.append(status))  # type: ignore[arg-type, return-value]  # a server's part
        return told[0], b"".join(answer)

    def _post_words(self, resource: str, body: dict[str, Any]) -> None:
        """The descriptors of a body that the standard's lists lack, for the sample has some of its own."""
        _, reading = self.host.data.reader(resource).read(body)
        for kind, value, _ in reading.descriptors:
            namespace, _, code = value.partition("#")
            if (code, namespace) not in self.host.data.store.tables[f"{kind}s"].by_key:
                self.post(f"{kind}s", {"namespace": namespace, "codeValue": code, "shortDescription": code[:75]})
                self.own_words.add(kind)

    def _post_person(self, body: dict[str, Any]) -> None:
        """One student of the sample refers to a person whom no file holds: the host refuses the student until then."""
        person = body.get("personReference")
        if person and person not in self.bodies["people"]:
            assert self.answer("students", body)[0].startswith("409")
            self.post("people", person)
            self.bodies["people"].append(person)

    def _post_section(self) -> None:
        """What the gradebook refers to and no file of the sample holds."""
        key = dict(self.bodies["gradebookEntries"][0]["sectionReference"])
        section = key.pop("sectionIdentifier")
        session = {name: key[name] for name in ("schoolId", "schoolYear", "sessionName")}
        year = {"schoolReference": {"schoolId": key["schoolId"]}, "schoolYearTypeReference": {
            "schoolYear": key["schoolYear"]}}  # fmt: skip
        self.post("sessions", {
            **year, "sessionName": key["sessionName"], "beginDate": "2021-08-23", "endDate": "2021-12-17",
            "termDescriptor": "uri://ed-fi.org/TermDescriptor#Fall Semester", "totalInstructionalDays": 81,
        })  # fmt: skip
        self.post("courseOfferings", {
            "courseReference": {"courseCode": "ALG-1", "educationOrganizationId": key["schoolId"]},
            "localCourseCode": key["localCourseCode"], "schoolReference": {"schoolId": key["schoolId"]},
            "sessionReference": session,
        })  # fmt: skip
        self.post("sections", {"courseOfferingReference": key, "sectionIdentifier": section})


@pytest.fixture(scope="module")
def sample(shared_data: Path) -> Sample:
    return Sample(shared_data / "edfi")


def test_the_host_takes_in_every_record_of_the_sample(sample: Sample) -> None:
    assert {name: len(sample.bodies[name]) for name in READ[3:] if name != "people"} == {
        "courses": 84, "learningStandards": STANDARDS, "learningStandardEquivalenceAssociations": 4,
        "students": STUDENTS, "gradebookEntries": 10, "studentGradebookEntries": 250,
    }  # fmt: skip
    for resource in READ:
        assert len(sample.host.rows(resource)) == len(sample.bodies[resource])
    assert not {f"{kind[0].upper()}{kind[1:]}" for kind in sample.own_words} & sample.lists, "all are of other lists"


def test_learning_standards_form_a_framework_for_each_content_standard(sample: Sample, tmp_path: Path) -> None:
    stand = SourceStand(sample.host, tmp_path, streams=["frameworks"])
    stand.settings["page_size"] = 500
    pulled = stand.pull()
    titles = {body["contentStandard"]["title"] for body in sample.bodies["learningStandards"]}
    assert set(pulled["frameworks"]["title"]) == titles
    assert pulled["competencies"].height == STANDARDS
    assert pulled["associations"].filter(pl.col("type") != "isChildOf").height == 4
    assert stand.warnings == []
    largest = pulled["competencies"]["framework_id"].value_counts(sort=True).row(0)
    stand = SourceStand(sample.host, tmp_path / "one", streams=["frameworks"], frameworks=[largest[0]])
    stand.settings["page_size"] = 500
    checked = check_packages(stand.pull() | {name: empty(name, raw=True) for name in RUBRICS})
    framework = Framework.from_tables(checked.tables)
    assert len(framework.competencies) == largest[1]
    assert all(each.statement and each.education_levels for each in framework.competencies.values())


def test_the_gradebook_gives_the_results_that_the_sample_holds(sample: Sample, tmp_path: Path) -> None:
    stand = SourceStand(sample.host, tmp_path, streams=["orgs", "courses", "classes", "users", "gradebook"])
    stand.settings["page_size"] = 200
    pulled = stand.pull()
    assert rejected(pulled) == 0
    assert pulled["users"].height == STUDENTS
    assert pulled["courses"].height == 84
    told = sample.bodies["studentGradebookEntries"]
    expected = sorted(
        (f"student:{each['studentReference']['studentUniqueId']}", Decimal(str(each["numericGradeEarned"])))
        for each in told
    )
    scores = pulled["results"].select("student_id", pl.col("score").cast(pl.Decimal(18, 2)))
    assert sorted(scores.iter_rows()) == expected
    assert set(pulled["line_items"]["title"]) == {each["title"] for each in sample.bodies["gradebookEntries"]}
    assert set(pulled["results"]["score_status"]) <= {"fully graded", "not submitted", "submitted", "exempt"}
    assert set(pulled["results"]["late"]) <= {"true", "false"}
