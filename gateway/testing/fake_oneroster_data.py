"""A small district in the JSON shapes of OneRoster 1.1 and 1.2, for the fake provider. Nobody in it is real."""

from __future__ import annotations

from typing import Any

MODIFIED = "2026-08-15T06:00:00.000Z"
COMPETENCIES = tuple(f"0bb3f5d6-7c1a-4c2f-8a4e-{number:012d}" for number in range(6))

Records = dict[str, list[dict[str, Any]]]


def sample_records(version: str = "1.2", *, students: int = 12) -> Records:
    """Collections by their OneRoster name, parents before children."""
    new = version == "1.2"
    classes = [_class(number) for number in range(4)]
    people = [_user(f"u-s{number:02d}", "student", number, new=new) for number in range(students)]
    people += [_user(f"u-t{number}", "teacher", 50 + number, new=new) for number in range(2)]
    items = [_line_item(number, new=new) for number in range(8)]
    records: Records = {
        "academicSessions": _sessions(),
        "orgs": _orgs(),
        "courses": [_course(number) for number in range(2)],
        "classes": classes,
        "users": people,
        "enrollments": _enrollments(students, len(classes)),
        "demographics": [_demographics(number) for number in range(students)],
        "categories": [_categories(number, new=new) for number in range(2)],
        "lineItems": items,
        "results": [_result(item, number, new=new) for item in range(len(items)) for number in range(0, students, 3)],
    }
    if new:
        records["scoreScales"] = [_score_scale()]
    return records


def _record(id_: str, **fields: Any) -> dict[str, Any]:
    return {"sourcedId": id_, "status": "active", "dateLastModified": MODIFIED, **fields}


def ref(id_: str, kind: str) -> dict[str, str]:
    """A reference as providers send it."""
    plural = {"class": "classes", "category": "categories"}.get(kind, f"{kind}s")
    return {"href": f"https://sis.example/{plural}/{id_}", "sourcedId": id_, "type": kind}


def _sessions() -> list[dict[str, Any]]:
    year = _record(
        "y-2027", title="2026-2027", type="schoolYear", startDate="2026-08-10", endDate="2027-06-12", schoolYear="2027"
    )
    terms = [
        _record(
            f"t-{number}", title=f"Term {number}", type="term", startDate=start, endDate=end, schoolYear="2027",
            parent=ref("y-2027", "academicSession"),
        )
        for number, start, end in ((1, "2026-08-10", "2027-01-16"), (2, "2027-01-16", "2027-06-12"))
    ]  # fmt: skip
    return [year, *terms]


def _orgs() -> list[dict[str, Any]]:
    district = _record("o-district", name="Lakeside District", type="district", identifier="0007")
    schools = [
        _record(f"o-{number}", name=name, type="school", identifier=f"000{number}", parent=ref("o-district", "org"))
        for number, name in ((1, "Lakeside Elementary"), (2, "Lakeside Middle"))
    ]
    return [district, *schools]


def _course(number: int) -> dict[str, Any]:
    subject = ("Mathematics", "Science")[number]
    return _record(
        f"c-{number}", title=subject, courseCode=f"0{number}1", grades=["05"], subjects=[subject],
        subjectCodes=[f"0{number}051"], org=ref("o-district", "org"), schoolYear=ref("y-2027", "academicSession"),
    )  # fmt: skip


def _class(number: int) -> dict[str, Any]:
    return _record(
        f"k-{number}", title=f"Class {number}", classCode=f"00{number}", classType="scheduled", location="12",
        grades=["05"], subjects=["Mathematics"], course=ref(f"c-{number % 2}", "course"),
        school=ref(f"o-{1 + number % 2}", "org"), terms=[ref("t-1", "academicSession")], periods=["1", "2"],
    )  # fmt: skip


def _user(id_: str, role: str, number: int, *, new: bool) -> dict[str, Any]:
    school = ref(f"o-{1 + number % 2}", "org")
    user = _record(
        id_, username=f"user{number}", enabledUser="true", givenName=f"Given{number}", familyName=f"Family{number}",
        identifier=f"00{number}", email=f"user{number}@lakeside.example", grades=["05"] if role == "student" else [],
    )  # fmt: skip
    if new:
        user["roles"] = [{"roleType": "primary", "role": role, "org": school, "beginDate": "2026-08-10"}]
        user["primaryOrg"] = school
        user["userIds"] = [{"type": "State", "identifier": f"S{number:05d}"}]
    else:
        user["role"] = role
        user["orgs"] = [school]
    return user


def _enrollments(students: int, classes: int) -> list[dict[str, Any]]:
    def enrollment(number: int, user: str, role: str, class_: int) -> dict[str, Any]:
        return _record(
            f"e-{number:03d}", user=ref(user, "user"), school=ref(f"o-{1 + class_ % 2}", "org"), role=role,
            primary="true" if role == "teacher" else "false", **{"class": ref(f"k-{class_}", "class")},
        )  # fmt: skip

    taught = [enrollment(900 + number, f"u-t{number % 2}", "teacher", number) for number in range(classes)]
    return [enrollment(n, f"u-s{n:02d}", "student", n % classes) for n in range(students)] + taught


def _demographics(number: int) -> dict[str, Any]:
    return _record(f"u-s{number:02d}", birthDate="2015-03-09", sex=("female", "male")[number % 2], white="true")


def _categories(number: int, *, new: bool) -> dict[str, Any]:
    extra = {"weight": 0.5} if new else {}
    return _record(f"g-{number}", title=("Summative", "Formative")[number], **extra)


def _score_scale() -> dict[str, Any]:
    steps = [("94", "A"), ("84", "B"), ("74", "C")]
    return _record(
        "s-letters", title="Letters", type="letter", course=ref("c-0", "course"),
        scoreScaleValue=[{"itemValueLHS": left, "itemValueRHS": right} for left, right in steps],
        **{"class": ref("k-0", "class")},
    )  # fmt: skip


def _line_item(number: int, *, new: bool) -> dict[str, Any]:
    item = _record(
        f"l-{number}", title=f"Task {number}", description="", assignDate="2026-09-01T00:00:00.000Z",
        dueDate="2026-09-15T00:00:00.000Z", category=ref(f"g-{number % 2}", "category"), resultValueMin=0.0,
        resultValueMax=4.0, **{"class": ref(f"k-{number % 4}", "class")},
    )  # fmt: skip
    if new:
        item["school"] = ref("o-1", "org")
        item["academicSession"] = ref("t-1", "academicSession")
        item["learningObjectiveSet"] = [{"source": "case", "learningObjectiveIds": [COMPETENCIES[number % 6]]}]
    else:
        item["gradingPeriod"] = ref("t-1", "academicSession")
    return item


def _result(item: int, student: int, *, new: bool) -> dict[str, Any]:
    result = _record(
        f"r-{item}-{student:02d}", lineItem=ref(f"l-{item}", "lineItem"), student=ref(f"u-s{student:02d}", "user"),
        scoreStatus="fully graded", scoreDate="2026-09-16", score=[3.5, 2.0, 4.0][(item + student) % 3],
        comment="Well explained: see the margin",
    )  # fmt: skip
    if new:
        result["late"] = "false"
        result["learningObjectiveSet"] = [
            {
                "source": "case",
                "learningObjectiveResults": [{"learningObjectiveId": COMPETENCIES[item % 6], "score": 3.0}],
            }
        ]
    return result
