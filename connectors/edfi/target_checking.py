"""The connection test of writing: is every descriptor of the settings there, and can the host's version take it all?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.edfi.bodies_transcripts import RESULTS
from connectors.edfi.descriptors import missing
from connectors.edfi.pushing import Pusher
from connectors.edfi.session import Session
from gateway.sdk import CheckItem, GatewayError


def check_target(session: Session, pusher: Pusher) -> Iterator[CheckItem]:
    """What writing needs; only what can be learned without writing."""
    try:
        session.token_answer()
        wanted = wanted_descriptors(session.settings)
        pusher.require_ready()
        lacking = pusher.descriptors.missing(wanted)
    except GatewayError as problem:
        yield CheckItem("writing", False, problem.message, problem.hint or "Correct the settings of this connection.")
        return
    for kind, whole in lacking:
        hint = "Name the host's own value in target, or set create_descriptors for a value of your own namespace."
        yield CheckItem(f"{kind} descriptor", False, missing(kind, whole), hint)
    if not lacking:
        count = sum(len(texts) for texts in wanted.values())
        yield CheckItem("writing", True, f"The host has all {count} descriptors that the settings name.")


def wanted_descriptors(settings: Mapping[str, Any]) -> dict[str, set[str]]:
    """The values that the settings name, by kind of descriptor."""
    target, writes = settings["target"], settings["write"]
    levels = set(target["levels"].values())
    assessment, creates, lines = target["assessment"], target["create_objectives"], target["transcripts"]
    subjects = lines["subjects"].values() if lines["write"] else ()
    wanted = {
        "CompetencyLevel": levels if {"gradebook", "competencies"} & set(writes) else set(),
        "PerformanceBaseConversion": levels if "grades" in writes else set(),
        "PerformanceLevel": levels if "assessments" in writes else set(),
        "GradeType": {target["grade_type"]} if "grades" in writes else set(),
        "GradebookEntryType": {target["entry_type"]} - {""} if "gradebook" in writes else set(),
        "GradingPeriod": {target["grading_period"]} - {""} if writes else set(),
        "AssessmentReportingMethod": {assessment["reporting_method"]} if "assessments" in writes else set(),
        "AcademicSubject": {assessment["subject"] if "assessments" in writes else "", *subjects} - {""},
        "GradeLevel": {creates["grade_level"]} if creates["organization"] and "competencies" in writes else set(),
        "GradePointAverageType": {*target["gpa"]["types"].values(), *target["gpa"]["term_types"].values()},
        "CourseAttemptResult": set({**RESULTS, **lines["results"]}.values()) if lines["write"] else set(),
        "CreditType": {lines["credit_type"]} - {""} if lines["write"] else set(),
        "Term": set(target["gpa"]["terms"].values()),
    }
    return {kind: texts for kind, texts in wanted.items() if texts}
