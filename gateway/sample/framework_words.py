"""The wording of the Lakeside framework: made up for this project, free to use under its licence.

A strand is a competency that is met at every performance level; a target is one thing that a learner does within it.
``{level}`` stands for how far the task of a performance level goes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Strand:
    """One competency of a domain and its three targets, as sentences."""

    code: str
    title: str
    statement: str
    targets: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain. ``leveled``: its strands come once for each performance level."""

    code: str
    title: str
    strands: tuple[Strand, ...]
    leveled: bool = True


LEVELS = tuple(range(1, 13))

REACH = (
    "with things at hand and one step",
    "with familiar things and two steps",
    "in familiar situations, with a given plan",
    "in familiar situations, choosing between given plans",
    "in new situations, with some help to begin",
    "in new situations, on one's own",
    "when parts of the information are missing",
    "when sources or methods disagree",
    "in longer work that joins several topics",
    "in longer work, defending each choice",
    "in open tasks of one's own choosing",
    "in open tasks, for readers who know the field",
)
"""How far a task goes, by performance level from 1."""

QUALITIES = ("Beginning", "Developing", "Proficient", "Extending")
QUALITY_TEXTS = (
    "Shows parts of it with much help.",
    "Shows most of it, with gaps or with help.",
    "Shows all of it, alone and more than once.",
    "Carries it over to something not practised.",
)

DOMAINS = (
    Domain("MATH", "Mathematics", (
        Strand("NQ", "Number and Quantity", "Works with numbers and quantities {level}.", (
            "Represents quantities in more than one way {level}.",
            "Calculates and estimates, and checks the size of the answer {level}.",
            "Explains why a way of calculating works {level}.",
        )),
        Strand("PS", "Problem Solving", "Makes sense of problems and solves them {level}.", (
            "Says what is asked and what is known {level}.",
            "Chooses a way to the answer and follows it {level}.",
            "Looks back, compares ways and improves one {level}.",
        )),
        Strand("AR", "Algebraic Reasoning", "Finds and uses patterns and relations {level}.", (
            "Describes a pattern or relation in words, tables and signs {level}.",
            "Uses a relation to find what is not given {level}.",
            "Argues whether a statement always holds {level}.",
        )),
        Strand("GD", "Geometry and Data", "Reasons about shape, measure and data {level}.", (
            "Measures and draws with fitting accuracy {level}.",
            "Shows data so that others can read them {level}.",
            "Draws a conclusion and says how sure it is {level}.",
        )),
    )),
    Domain("ELA", "Language Arts", (
        Strand("RD", "Reading", "Reads texts closely and with understanding {level}.", (
            "Retells what a text says and what it leaves open {level}.",
            "Shows how a text is built and why {level}.",
            "Weighs texts against each other {level}.",
        )),
        Strand("WR", "Writing", "Writes for a purpose and a reader {level}.", (
            "Plans and orders what is to be said {level}.",
            "Supports each point with fitting evidence {level}.",
            "Revises for clearness and voice {level}.",
        )),
        Strand("SL", "Speaking and Listening", "Takes part in talk that moves forward {level}.", (
            "Listens and takes up what others said {level}.",
            "Presents so that listeners can follow {level}.",
            "Disagrees with reasons and with respect {level}.",
        )),
        Strand("LU", "Language Use", "Uses words and grammar with care {level}.", (
            "Finds out what an unknown word means {level}.",
            "Builds sentences that carry the meaning {level}.",
            "Chooses words for tone and effect {level}.",
        )),
    )),
    Domain("SCI", "Science", (
        Strand("IN", "Inquiry", "Asks questions and plans how to answer them {level}.", (
            "Turns an observation into a question that can be tested {level}.",
            "Plans a fair test and keeps a record {level}.",
            "Names what could have gone wrong {level}.",
        )),
        Strand("MO", "Models", "Makes models and uses them {level}.", (
            "Builds a model that shows how parts act together {level}.",
            "Predicts with a model and compares with what happens {level}.",
            "Changes a model when it fails {level}.",
        )),
        Strand("EA", "Evidence and Argument", "Argues from evidence {level}.", (
            "Reads tables and graphs for what they show {level}.",
            "Joins evidence to a claim by a reason {level}.",
            "Judges the claim of someone else {level}.",
        )),
        Strand("SY", "Systems", "Explains living, physical and made systems {level}.", (
            "Names the parts of a system and its borders {level}.",
            "Follows matter and energy through a system {level}.",
            "Foresees what a change does to the whole {level}.",
        )),
    )),
    Domain("SOC", "Social Studies", (
        Strand("HI", "History", "Explains change over time {level}.", (
            "Orders events and tells cause from occasion {level}.",
            "Uses sources and asks who made them and why {level}.",
            "Compares how people of different times saw one event {level}.",
        )),
        Strand("CI", "Civics", "Understands how people govern themselves {level}.", (
            "Explains who decides what, and by which rule {level}.",
            "Weighs rights against duties in a case {level}.",
            "Takes part in a decision of the community {level}.",
        )),
        Strand("GE", "Geography", "Relates people to places {level}.", (
            "Reads and makes maps {level}.",
            "Explains why people live and move where they do {level}.",
            "Judges how a place and its people shape each other {level}.",
        )),
        Strand("EC", "Economics", "Explains how people use what is scarce {level}.", (
            "Names what a choice costs {level}.",
            "Explains how prices and trade come about {level}.",
            "Plans with money over time {level}.",
        )),
    )),
    Domain("HOW", "Habits of Work", (
        Strand("EN", "Engagement", "Takes an active part in learning.", (
            "Begins work without being asked twice.",
            "Asks for help, and offers it.",
            "Stays with a task when it becomes hard.",
        )),
        Strand("PR", "Preparedness", "Comes ready to learn.", (
            "Brings what the day needs.",
            "Meets agreed dates, or says in time why not.",
            "Keeps notes and files so that they can be found.",
        )),
        Strand("RE", "Respect", "Cares for people and things.", (
            "Lets others finish and answers what they said.",
            "Leaves rooms and tools as they should be.",
            "Mends what went wrong between people.",
        )),
    ), leveled=False),
)  # fmt: skip
"""The domains in the order of the framework."""
