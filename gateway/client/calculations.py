"""Mappings, GPAs, and what the district offers beside them. All of it computes, and keeps nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from gateway.client import answers
from gateway.client.rows import ChangedCourse, Course, CourseValues, Evidence, StudentFacts
from gateway.client.wire import Wire, given, part


class Calculations(Wire):
    """The addresses that compute. Each method is one operation of the contract, by its name there."""

    def list_mappings(self) -> answers.MappingList:
        """All mappings of the district, with versions and digests."""
        return self.ask("GET", "/v1/mappings", answers.MappingList)

    def read_mapping(self, name: str, *, version: str | None = None) -> answers.Mapping:
        """One mapping: its scales, its framework, and the file itself; the latest version unless one is named."""
        return self.ask("GET", f"/v1/mappings/{part(name)}", answers.Mapping, query={"version": version})

    def apply_mapping(
        self, name: str, evidence: Sequence[Evidence], *, version: str | None = None, as_of: date | None = None
    ) -> answers.Mapped:
        """Levels, continuum and credits of up to 10,000 results: all results of the students, in any order."""
        body = given(evidence=evidence, version=version, as_of=as_of)
        return self.ask("POST", f"/v1/mappings/{part(name)}/apply", answers.Mapped, body=body)

    def explain_level(
        self,
        name: str,
        evidence: Sequence[Evidence],
        student_id: str,
        *,
        competency: str | None = None,
        version: str | None = None,
        as_of: date | None = None,
    ) -> answers.Explanation:
        """Why a student has the levels that the evidence gives."""
        body = given(evidence=evidence, student_id=student_id, competency=competency, version=version, as_of=as_of)
        return self.ask("POST", f"/v1/mappings/{part(name)}/explain", answers.Explanation, body=body)

    def lint_mapping(
        self,
        mapping: str,
        framework: str,
        *,
        crosswalks: Mapping[str, Sequence[Mapping[str, str | None]]] | None = None,
    ) -> answers.LintResult:
        """Check a mapping file (its text) against a framework of the district, and run its examples."""
        body = given(mapping=mapping, framework=framework, crosswalks=crosswalks)
        return self.ask("POST", "/v1/mapping-lint", answers.LintResult, body=body)

    def compute_gpas(
        self,
        policies: Sequence[str],
        courses: Sequence[Course],
        *,
        students: Sequence[StudentFacts] | None = None,
        as_of: date | None = None,
        periods: Sequence[str] | None = None,
        trace: bool = False,
        approximate: bool = False,
    ) -> answers.Computed:
        """The GPAs of all students in the courses, under each policy. What cannot be computed is pending."""
        body = given(policies=policies, courses=courses, students=students, as_of=as_of, periods=periods, trace=trace,
                     approximate=approximate)  # fmt: skip
        return self.ask("POST", "/v1/gpa/compute", answers.Computed, body=body)

    def compare_gpas(
        self,
        old: str,
        new: str,
        courses: Sequence[Course],
        *,
        old_version: str | None = None,
        new_version: str | None = None,
        students: Sequence[StudentFacts] | None = None,
        as_of: date | None = None,
    ) -> answers.Compared:
        """Who has another GPA under the one policy (or version) than under the other."""
        body = given(old=old, new=new, courses=courses, old_version=old_version, new_version=new_version,
                     students=students, as_of=as_of)  # fmt: skip
        return self.ask("POST", "/v1/gpa/compare", answers.Compared, body=body)

    def what_if_gpa(
        self,
        policy: str,
        student_id: str,
        courses: Sequence[Course],
        *,
        change: Sequence[ChangedCourse] | None = None,
        repeat: Sequence[ChangedCourse] | None = None,
        remove: Sequence[int] | None = None,
        add: Sequence[CourseValues] | None = None,
        students: Sequence[StudentFacts] | None = None,
        as_of: date | None = None,
    ) -> answers.WhatIfResult:
        """One student's GPA before and after some changes; lines count from 1."""
        body = given(policy=policy, student_id=student_id, courses=courses, change=change, repeat=repeat,
                     remove=remove, add=add, students=students, as_of=as_of)  # fmt: skip
        return self.ask("POST", "/v1/gpa/what-if", answers.WhatIfResult, body=body)

    def list_policies(self) -> answers.PolicyList:
        """All versions of all GPA policies, with their sources and open questions."""
        return self.ask("GET", "/v1/policies", answers.PolicyList)

    def read_policy(self, name: str, *, version: str | None = None, as_of: date | None = None) -> answers.Policy:
        """One policy: the version that holds today, or on ``as_of``, or the one that is named."""
        query = {"version": version, "as_of": as_of}
        return self.ask("GET", f"/v1/policies/{part(name)}", answers.Policy, query=query)

    def list_frameworks(self) -> answers.FrameworkList:
        """The frameworks that the mappings stand on."""
        return self.ask("GET", "/v1/frameworks", answers.FrameworkList)

    def read_framework(self, id: str) -> answers.FrameworkIdentity:
        """One framework's title, version and digest."""
        return self.ask("GET", f"/v1/frameworks/{part(id)}", answers.FrameworkIdentity)

    def list_scales(self) -> answers.ScaleList:
        """The scales of all mappings."""
        return self.ask("GET", "/v1/scales", answers.ScaleList)

    def read_scale(self, name: str, scale: str, *, version: str | None = None) -> answers.ScaleOfMapping:
        """One scale of the mapping ``name``."""
        path = f"/v1/mappings/{part(name)}/scales/{part(scale)}"
        return self.ask("GET", path, answers.ScaleOfMapping, query={"version": version})
