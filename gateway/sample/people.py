"""People: names, user names and what else stands in ``users.csv`` and ``demographics.csv``, drawn for each number."""

from __future__ import annotations

from functools import reduce

import polars as pl

from gateway.sample.draws import Draws, texts
from gateway.sample.words import ASCII, FAMILY_ENDS, FAMILY_STARTS, GIVEN_NAMES

MAIL = "lakeside.example"
RACES = (
    "white", "blackOrAfricanAmerican", "asian", "americanIndianOrAlaskaNative", "nativeHawaiianOrOtherPacificIslander",
    "demographicRaceTwoOrMoreRaces",
)  # fmt: skip
_RACE_SHARES = (52, 70, 82, 86, 88, 100)
"""Upper bounds in percent, in the order of ``RACES``."""
_PRONOUNS = ("she/her", "he/him", "they/them", None, None, None, None, None)


def with_users(draws: Draws, people: pl.DataFrame, *, kind: str) -> pl.DataFrame:
    """``people`` (``person``, an unsigned number; ``org``; ``grades``) with the columns of ``users.csv``. ``kind``,
    ``student`` or ``staff``, keeps the numbers of both apart."""
    person = pl.col("person")
    identifier = (person + (100_000 if kind == "student" else 10_000_000)).cast(pl.String)
    named = draws.with_uuid(people, "sourcedId", f"users/{kind}", person).with_columns(
        givenName=texts(GIVEN_NAMES, draws.below(len(GIVEN_NAMES), f"{kind}/given", person)),
        middleName=texts(GIVEN_NAMES, draws.below(len(GIVEN_NAMES), f"{kind}/middle", person)),
        familyName=_family_name(draws, kind, "family"),
        second=_family_name(draws, kind, "second"),
        identifier=identifier,
        userMasterIdentifier=pl.lit("LKS-") + identifier,
        hyphen=draws.chance(0.04, f"{kind}/hyphen", person),
        nickname=draws.chance(0.06, f"{kind}/nickname", person),
        pronouns=texts(_PRONOUNS, draws.below(len(_PRONOUNS), f"{kind}/pronouns", person)),
    )
    named = named.with_columns(
        familyName=pl.when("hyphen").then(pl.format("{}-{}", "familyName", "second")).otherwise("familyName"),
        username=_user_name(),
    )
    return named.with_columns(
        enabledUser=pl.lit("true"),
        userIds=pl.lit("{SIS:") + pl.col("identifier") + pl.lit("}"),
        email=pl.col("username") + pl.lit(f"@{MAIL}"),
        preferredGivenName=pl.when("nickname").then("middleName"),
        primaryOrgSourcedId=pl.col("org"),
    ).drop("second", "hyphen", "nickname")


def _family_name(draws: Draws, kind: str, which: str) -> pl.Expr:
    person = pl.col("person")
    start = texts(FAMILY_STARTS, draws.below(len(FAMILY_STARTS), f"{kind}/{which}/start", person))
    return start + texts(FAMILY_ENDS, draws.below(len(FAMILY_ENDS), f"{kind}/{which}/end", person))


def _user_name() -> pl.Expr:
    plain = pl.format("{}.{}", pl.col("givenName").str.slice(0, 1), "familyName").str.to_lowercase()
    ascii_only = reduce(lambda text, pair: text.str.replace_all(*pair, literal=True), ASCII.items(), plain)
    return ascii_only + pl.col("identifier")


def demographics(draws: Draws, students: pl.DataFrame, year: int) -> pl.DataFrame:
    """``demographics.csv`` of students (``sourcedId``, ``person``, ``grade``); ``year`` is when school began."""
    person = pl.col("person")
    born = pl.date(year - 6 - pl.col("grade"), 9, 1) + pl.duration(days=draws.below(365, "born", person))
    percent = draws.below(100, "race", person)
    race = pl.sum_horizontal([(percent >= share).cast(pl.Int64) for share in _RACE_SHARES[:-1]])
    return students.select(
        "sourcedId",
        birthDate=born,
        sex=texts(("female", "male", "other", "unspecified"), _sex(draws.below(200, "sex", person))),
        **{name: _flag(race == number) for number, name in enumerate(RACES)},
        hispanicOrLatinoEthnicity=_flag(draws.chance(0.2, "hispanic", person)),
        countryOfBirthCode=pl.when(draws.chance(0.93, "country", person)).then(pl.lit("US")),
    )


def _sex(number: pl.Expr) -> pl.Expr:
    return pl.when(number < 98).then(0).when(number < 196).then(1).when(number < 198).then(2).otherwise(3)


def _flag(condition: pl.Expr) -> pl.Expr:
    return texts(("false", "true"), condition.cast(pl.UInt32))
