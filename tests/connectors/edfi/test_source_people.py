"""People beside their names: mail addresses, further ids, contacts, demographics, wherever a version keeps them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from gateway.core.check import check_references, read_rows
from gateway.core.model import TABLES
from gateway.testing.edfi import Claims, EdFiGate, FakeEdFi
from gateway.testing.edfi.district import furnished
from gateway.testing.edfi.sample import LEA, SCHOOL, uri
from tests.connectors.edfi.source_stand import SourceStand
from tests.connectors.edfi.test_source_rows import HOSTS

STUDENT = "604800"
SEOA = "studentEducationOrganizationAssociations"


def of_student(pulled: dict[str, pl.DataFrame], table: str, id_: str = f"student:{STUDENT}") -> dict[str, object]:
    return pulled[table].filter(pl.col("id") == id_).row(0, named=True)


@pytest.mark.parametrize(("version", "standard"), HOSTS)
def test_every_version_tells_people_the_same(version: str, standard: str, tmp_path: Path) -> None:
    remote = furnished(FakeEdFi(version, standard=standard), students=3)
    stand = SourceStand(remote, tmp_path, streams=["orgs", "users", "demographics"], contacts=True)
    pulled = stand.pull()
    assert stand.warnings == []
    student = of_student(pulled, "users")
    assert student["email"] == f"{STUDENT}@lakeside.example"
    assert student["user_ids"] == [f"Ed-Fi:{STUDENT}", f"District:D-{STUDENT}"]
    assert student["agent_ids"] == ["contact:777779"]
    teacher = of_student(pulled, "users", "staff:207001")
    assert (teacher["email"], teacher["user_ids"]) == ("tea@lakeside.example", ["Ed-Fi:207001", "District:T-1"])
    contact = of_student(pulled, "users", "contact:777779")
    assert (contact["family_name"], contact["email"]) == ("Ther", "mo@home.example")
    (role,) = pulled["roles"].filter(user_id="contact:777779").rows(named=True)
    assert (role["role"], role["role_type"], role["org_id"]) == ("parent", "primary", f"org:{SCHOOL}")
    told = {name: value for name, value in of_student(pulled, "demographics").items() if value is not None}
    assert {name: told[name] for name in list(told)[2:-2]} == {
        "birth_date": "2011-05-01", "sex": "female", "american_indian_or_alaska_native": "false", "asian": "true",
        "black_or_african_american": "false", "native_hawaiian_or_other_pacific_islander": "false", "white": "true",
        "demographic_race_two_or_more_races": "true", "hispanic_or_latino_ethnicity": "false",
    }  # fmt: skip
    known = {"orgs": pulled["orgs"]["id"], "users": pulled["users"]["id"]}
    for name in ("users", "roles", "demographics"):
        checked = read_rows(pulled[name], TABLES[name])
        assert checked.quarantine.is_empty(), name
        assert check_references(checked.rows, TABLES[name], known, {}).quarantine.is_empty(), name


def test_contacts_and_demographics_are_pulled_only_where_they_are_asked_for(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=2)
    pulled = SourceStand(remote, tmp_path).pull()
    assert "demographics" not in pulled
    assert pulled["users"].height == 3
    assert pulled["users"]["agent_ids"].null_count() == 3
    assert remote.reads("ontact") == 0


def test_a_social_security_number_is_never_taken_in(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    (id_, there), = remote.items(SEOA).items()  # fmt: skip
    secret = {
        "studentIdentificationSystemDescriptor": uri("studentIdentificationSystem", "SSN"),
        "assigningOrganizationIdentificationCode": "US", "identificationCode": "078-05-1120",
    }  # fmt: skip
    remote.replace(SEOA, id_, {**there, "studentIdentificationCodes": [secret]})
    pulled = SourceStand(remote, tmp_path, streams=["users", "demographics"]).pull()
    assert of_student(pulled, "users")["user_ids"] == [f"Ed-Fi:{STUDENT}"]
    assert all("078-05" not in frame.write_ndjson() for frame in pulled.values())


def test_several_organizations_of_a_student_are_put_together(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    remote.seed(SEOA, {
        "educationOrganizationReference": {"educationOrganizationId": SCHOOL},
        "studentReference": {"studentUniqueId": STUDENT}, "sexDescriptor": uri("sex", "Male"), "loginId": "given0",
        "races": [{"raceDescriptor": uri("race", "Black - African American")}],
    })  # fmt: skip
    pulled = SourceStand(remote, tmp_path, streams=["users", "demographics"]).pull()
    assert of_student(pulled, "users")["username"] == "given0"
    told = of_student(pulled, "demographics")
    assert LEA < SCHOOL
    assert (told["sex"], told["asian"], told["black_or_african_american"]) == ("female", "true", "true")


def test_a_race_or_relation_without_a_word_is_named(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    for kind in ("race", "relation"):
        remote.seed(f"{kind}Descriptors", {
            "namespace": f"uri://lakeside.example/{kind.title()}Descriptor", "codeValue": f"my {kind}",
            "shortDescription": "…",
        })  # fmt: skip
    (id_, there), = remote.items(SEOA).items()  # fmt: skip
    remote.replace(SEOA, id_, {**there, "races": [{"raceDescriptor": uri("race", "my race", "lakeside.example")}]})
    (id_, tie), = remote.items("studentContactAssociations").items()  # fmt: skip
    told = uri("relation", "my relation", "lakeside.example")
    remote.replace("studentContactAssociations", id_, {**tie, "relationDescriptor": told})
    stand = SourceStand(remote, tmp_path, streams=["users", "demographics"], contacts=True)
    pulled = stand.pull()
    assert all(any(word in each for each in stand.warnings) for word in ("my race", "my relation"))
    assert of_student(pulled, "demographics")["asian"] == "false"
    assert of_student(pulled, "users", "contact:777779")["given_name"] == "Mo"
    assert ("roles", "role", "value.unknown-word") in read_rows(pulled["roles"], TABLES["roles"]).notes
    words = {"race": {"my race": "asian"}, "relation": {"my relation": "guardian"}}
    stand = SourceStand(remote, tmp_path, streams=["users", "demographics"], contacts=True, words=words)
    assert of_student(stand.pull(), "demographics")["asian"] == "true"
    assert stand.warnings == []


def test_a_claim_set_without_a_list_is_named_and_the_list_may_be_left_out(tmp_path: Path) -> None:
    denied = EdFiGate(claims=Claims(denied=frozenset({(SEOA, "Read")})))
    remote = furnished(FakeEdFi("7.3", gate=denied), students=1)
    (failed,) = [item for item in SourceStand(remote, tmp_path).connector().check() if not item.ok]
    assert failed.what == SEOA
    assert "exclude" in failed.hint
    stand = SourceStand(remote, tmp_path, exclude=[SEOA])
    assert all(item.ok for item in stand.connector().check())
    assert of_student(stand.pull(), "users")["email"] is None
