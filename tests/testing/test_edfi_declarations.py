"""The fake Ed-Fi host's resources are those of the published schemas, in every version of the Data Standard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.testing.edfi import FakeEdFi
from gateway.testing.edfi.declared import FRAGMENTS
from gateway.testing.edfi.district import district, furnished
from gateway.testing.edfi.metadata import dependencies, open_api, targets
from gateway.testing.edfi.model import Node, model_of
from gateway.testing.edfi.notation import Need, declare
from gateway.testing.edfi.problems import Problem
from gateway.testing.edfi.sample import DESCRIPTORS
from gateway.testing.edfi.standards import STANDARDS

Field = tuple[str, str, bool, bool]


def fields_of(node: Node, path: str, required: bool = True) -> Iterator[Field]:
    """Every member of a resource: its path, its type, whether it must be there, whether it is a key by itself."""
    for member in (*node.scalars.values(), *node.descriptors.values()):
        need = required and member.need is not Need.OPTIONAL
        yield f"{path}.{member.name}", member.kind, need, member.need is Need.KEY
    for name, reference in node.references.items():
        need = required and reference.member.need is not Need.OPTIONAL
        yield from ((f"{path}.{name}.{inner}", kind, need, False) for inner, kind in reference.parts)
    for name, below in node.objects.items():
        yield from fields_of(below, f"{path}.{name}", required and name in node.required)
    for name, below in node.collections.items():
        yield from fields_of(below, f"{path}.{name}[*]")


def test_the_declarations_are_those_of_the_published_schema(shared_data: Path) -> None:
    published = json.loads((shared_data / "edfi" / "ds52_resource_fields.json").read_text())
    model = model_of("5.2")
    assert set(published) <= set(model.resources)
    for name, members in published.items():
        expected = {
            (each["path"], each["type"], each["required"] or each["identity"], each["identity"]) for each in members
        }
        assert set(fields_of(model.resources[name].node, "$")) == expected, name


def test_the_descriptors_of_a_new_host_are_published(shared_data: Path) -> None:
    compared = 0
    for kind, codes in DESCRIPTORS.items():
        assert f"{kind}Descriptors" in model_of("5.2").resources
        published = shared_data / "edfi" / "descriptors52" / f"{kind[0].upper()}{kind[1:]}Descriptor.xml"
        if published.exists():
            assert set(codes.split("|")) <= set(re.findall("<CodeValue>([^<]*)<", published.read_text())), kind
            compared += 1
    assert compared > 25


@pytest.mark.parametrize("standard", STANDARDS)
def test_every_version_takes_the_district(standard: str) -> None:
    remote = furnished(FakeEdFi(standard=standard), students=2)
    for resource, bodies in district(standard, students=2).items():
        assert len(remote.rows(resource)) == len(bodies), resource


@pytest.mark.parametrize("standard", STANDARDS)
def test_what_is_referred_to_comes_first(standard: str) -> None:
    steps = dependencies(standard)
    orders = {step["resource"].rpartition("/")[2]: step["order"] for step in steps if "Create" in step["operations"]}
    model = model_of(standard)
    assert set(orders) == set(model.resources)
    for name, resource in model.resources.items():
        for target in set(targets(resource.node)) & set(orders) - {name}:
            assert orders[target] < orders[name], (name, target)
    updates = next(step["order"] for step in steps if step["operations"] == ["Update"])
    assert updates > orders["studentSchoolAssociations"]


@pytest.mark.parametrize(
    ("standard", "resource", "key"),
    [
        ("5.2", "gradingPeriods", "gradingPeriodDescriptor gradingPeriodName schoolId schoolYear"),
        ("4.0", "gradingPeriods", "gradingPeriodDescriptor periodSequence schoolId schoolYear"),
        ("5.2", "gradebookEntries", "gradebookEntryIdentifier namespace"),
        ("4.0", "studentGradebookEntries", "gradebookEntryIdentifier namespace studentUniqueId"),
        ("5.2", "studentAcademicRecords", "educationOrganizationId schoolYear studentUniqueId termDescriptor"),
        ("5.2", "courseTranscripts", "courseAttemptResultDescriptor courseCode courseEducationOrganizationId "
         "educationOrganizationId schoolYear studentUniqueId termDescriptor"),
    ],
)  # fmt: skip
def test_keys_follow_the_version(standard: str, resource: str, key: str) -> None:
    assert " ".join(part.name for part in model_of(standard).resources[resource].key) == key


def test_versions_differ_as_published() -> None:
    node = {standard: model_of(standard).resources for standard in STANDARDS}
    assert "learningObjectives" in node["4.0"]
    assert "learningObjectives" not in node["5.0"]
    assert "cumulativeGradePointAverage" in node["4.0"]["studentAcademicRecords"].node.scalars
    assert "gradePointAverages" in node["3.2"]["studentAcademicRecords"].node.collections
    assert "earnedCredits" in node["4.0"]["courseTranscripts"].node.required
    assert "earnedCredits" not in node["5.0"]["courseTranscripts"].node.required
    assert "dualCreditIndicator" in node["5.2"]["studentSectionAssociations"].node.scalars
    assert "dualCreditIndicator" not in node["5.0"]["studentSectionAssociations"].node.scalars
    assert "studentIdentificationCodes" not in node["6.0"]["studentEducationOrganizationAssociations"].node.collections
    period = "periodSequence", "gradingPeriodName"
    for standard, name in (("4.0", period[0]), ("5.0", period[1])):
        parts = node[standard]["grades"].node.references["gradingPeriodReference"].parts
        assert [each for each, _ in parts if each in period] == [name]


@pytest.mark.parametrize("swagger_2", [True, False])
def test_openapi_marks_keys_and_what_may_change(swagger_2: bool) -> None:
    document = open_api("5.2", "resources", swagger_2=swagger_2)
    schemas = document["definitions"] if swagger_2 else document["components"]["schemas"]
    record = schemas["edFi_studentAcademicRecord"]
    assert record["properties"]["termDescriptor"]["x-Ed-Fi-isIdentity"] is True
    assert "x-Ed-Fi-isIdentity" not in record["properties"]["projectedGraduationDate"]
    assert schemas["edFi_gradingPeriodReference"]["required"] == [
        "gradingPeriodDescriptor", "gradingPeriodName", "schoolId", "schoolYear",
    ]  # fmt: skip
    paths = document["paths"]
    assert paths["/ed-fi/sections/{id}"]["put"].get("x-Ed-Fi-isUpdatable") is True
    assert "x-Ed-Fi-isUpdatable" not in paths["/ed-fi/students/{id}"]["put"]
    assert {ref.rpartition("/")[2] for ref in _refs(document)} <= set(schemas)


def _refs(document: object) -> Iterator[str]:
    if isinstance(document, dict):
        for name, value in document.items():
            if name == "$ref":
                yield value
            else:
                yield from _refs(value)
    elif isinstance(document, list):
        for value in document:
            yield from _refs(value)


def test_a_misspelt_member_is_an_error() -> None:
    with pytest.raises(ValueError, match="no member"):
        declare("students\n  studentUniqueId& str32", FRAGMENTS)


def test_a_body_that_refers_to_nothing_is_a_problem() -> None:
    with pytest.raises(Problem, match="unresolved-reference"):
        FakeEdFi().seed("grades", *district()["grades"])
