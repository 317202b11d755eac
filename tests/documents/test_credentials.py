"""Credentials that are made here: by an independent way they are valid and signed; what must not be trusted is not."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta

import base58
import jsonschema
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OKPKey
from pyld import jsonld

from gateway.core.errors import ConfigurationError, DataError
from gateway.documents.credentials.achievements import Course, course_claim
from gateway.documents.credentials.credential import as_json, as_token, open_badge
from gateway.documents.credentials.keys import KnownKeys, key_document, new_key, read_key, read_key_document
from gateway.documents.credentials.multikey import decode_key, did_key, encode_multibase
from gateway.documents.credentials.proofs import _signed_bytes, sign_document
from gateway.documents.credentials.tokens import claims_of, sign_token
from gateway.documents.credentials.verify import Verdict, Verifier
from tests.documents.credential_builders import (
    CONTEXTS,
    NOON,
    PUBLISHED,
    claims,
    issuing,
    new_issuer,
    signed_record,
    verifier,
)

RECORD = signed_record()
KEY = new_issuer()
BADGE = issuing().sign(open_badge(issuing(), claims()[0]))


def test_what_we_sign_is_verified_with_all_that_is_inside():
    report = verifier(KEY).verify(as_json(RECORD))
    assert [finding.verdict for finding in report.findings] == [Verdict.VERIFIED] * 4
    assert report.verdict is Verdict.VERIFIED


def independent_signature(document, shared_data):
    """The signed bytes, computed with the published contexts and nothing of the product."""
    places = {f"https://{place}": shared_data / "credentials/contexts" / name for name, place in PUBLISHED.items()}

    def load(url, options):
        found = json.loads(places[url].read_text(encoding="utf-8"))
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": found}

    def digest(part):
        options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": load}
        return hashlib.sha256(jsonld.normalize(part, options).encode()).digest()

    (proof,) = document["proof"]
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    return digest({"@context": document["@context"], **options}) + digest(unsigned)


@pytest.mark.parametrize("document", [BADGE, RECORD], ids=["badge", "record"])
def test_our_signatures_hold_by_an_independent_way(document, shared_data):
    (proof,) = document["proof"]
    key = Ed25519PublicKey.from_public_bytes(base58.b58decode(KEY.multikey[1:])[2:])
    signature = base58.b58decode(proof["proofValue"][1:])
    key.verify(signature, independent_signature(document, shared_data))
    with pytest.raises(InvalidSignature):
        key.verify(signature, independent_signature({**document, "name": "Another"}, shared_data))


def as_vc_1_1(document):
    """The schema at hand is of the VC 1.1 form, in which the first day is called issuanceDate."""
    if isinstance(document, list):
        return [as_vc_1_1(part) for part in document]
    if not isinstance(document, dict):
        return document
    return {{"validFrom": "issuanceDate"}.get(name, name): as_vc_1_1(part) for name, part in document.items()}


def test_a_learner_record_is_valid_by_the_published_schema(shared_data):
    schema = json.loads((shared_data / "credentials/clr/clr_v2p0_schema_draft4.json").read_text())
    validator = jsonschema.Draft4Validator(schema)
    assert [error.json_path for error in validator.iter_errors(as_vc_1_1(RECORD))] == []
    broken = as_vc_1_1(RECORD)
    del broken["credentialSubject"]["association"][0]["sourceId"]
    assert [*validator.iter_errors(broken)]


def test_a_competency_names_its_case_item_its_levels_and_what_was_reached():
    achievement = BADGE["credentialSubject"]["achievement"]
    assert achievement["alignment"][0]["targetType"] == "CFItem"
    assert achievement["alignment"][0]["targetUrl"] == "https://case.example.org/ims/case/v1p1/CFItems/c1"
    rubric, scaled = achievement["resultDescription"]
    assert [level["name"] for level in rubric["rubricCriterionLevel"]] == ["Beginning", "Proficient", "Extending"]
    assert {level["alignment"][0]["targetType"] for level in rubric["rubricCriterionLevel"]} == {
        "CFRubricCriterionLevel"
    }
    reached, score = BADGE["credentialSubject"]["result"]
    assert reached["achievedLevel"] == rubric["rubricCriterionLevel"][1]["id"] == rubric["requiredLevel"]
    assert (score["resultDescription"], score["value"]) == (scaled["id"], "3.48")
    assert (scaled["valueMin"], scaled["valueMax"]) == ("0", "4")


def test_a_gpa_is_text_with_its_range_and_names_its_policy():
    claim = claims()[2]
    (described,) = claim.achievement["resultDescription"]
    assert (described["resultType"], described["valueMin"], described["valueMax"]) == (
        "GradePointAverage",
        "0.000",
        "4.000",
    )
    assert claim.results[0]["value"] == "3.480"
    assert "ncaa-d1, version 2023.1, SHA-256 " + "a" * 64 in claim.achievement["criteria"]["narrative"]


@pytest.mark.parametrize(
    ("grade", "grades", "kind"),
    [("B+", ("F", "B", "B+"), "LetterGrade"), ("93.5", (), "RawScore"), ("P", (), "Result")],
)
def test_a_grade_is_a_letter_of_its_scale_a_number_or_a_mark(grade, grades, kind):
    claim = course_claim("lakeside", Course("ALG1", "Algebra 1", "", grade, grades, "Algebra 1, 1 credit."))
    (described,) = claim.achievement["resultDescription"]
    assert (described["resultType"], described.get("allowedValue", [])) == (kind, list(grades))
    assert claim.results[0]["value"] == grade


def test_the_students_number_cannot_be_read_off():
    assert "1001" not in json.dumps(RECORD["credentialSubject"]["identifier"])
    identity = RECORD["credentialSubject"]["identifier"][0]
    assert identity["identityHash"] == "sha256$" + hashlib.sha256(b"100100ff").hexdigest()


def text_paths(value, path=()):
    if isinstance(value, dict):
        for key, part in value.items():
            if key not in ("@context", "type"):
                yield from text_paths(part, (*path, key))
    elif isinstance(value, list):
        for position, part in enumerate(value):
            yield from text_paths(part, (*path, position))
    elif isinstance(value, str):
        yield path


@settings(max_examples=25)
@given(st.sampled_from(sorted(text_paths(RECORD), key=str)), st.text(min_size=1, max_size=8))
def test_any_changed_text_is_not_verified(path, text):
    document = json.loads(json.dumps(RECORD))
    part = document
    for key in path[:-1]:
        part = part[key]
    if part[path[-1]] == text:
        return
    part[path[-1]] = text
    assert verifier(KEY).verify_document(document).verdict is not Verdict.VERIFIED


CORRUPTIONS = {
    "an unknown word": lambda d: d.update(gradePointAverage="4.0"),
    "an unknown word deep inside": lambda d: d["credentialSubject"]["achievement"].update(honors="yes"),
    "no context": lambda d: d.pop("@context"),
    "an empty context": lambda d: d.update({"@context": []}),
    "a null context": lambda d: d.update({"@context": None}),
    "only its own words": lambda d: d.update({"@context": {"@vocab": "https://example.org/"}}),
    "its own words besides": lambda d: d["@context"].append({"name": "https://example.org/name"}),
    "another first context": lambda d: d["@context"].reverse(),
    "own words inside": lambda d: d["credentialSubject"].update({"@context": {"name": "https://example.org/n"}}),
    "a context that is not at hand": lambda d: d["@context"].append("https://example.org/context.json"),
    "a relative name": lambda d: d["credentialSubject"]["achievement"].update(id="one"),
    "a nameless name": lambda d: d["credentialSubject"].update(id="_:b0"),
    "another purpose": lambda d: d["proof"][0].update(proofPurpose="authentication"),
    "an unknown suite": lambda d: d["proof"][0].update(cryptosuite="ecdsa-sd-2023"),
    "a second proof of nobody": lambda d: d["proof"].append({"type": "DataIntegrityProof"}),
    "a proof that is no object": lambda d: d.update(proof="z123"),
    "a short signature": lambda d: d["proof"][0].update(proofValue="z111"),
    "no issuer": lambda d: d.pop("issuer"),
    "no subject": lambda d: d.pop("credentialSubject"),
    "a date without an offset": lambda d: d.update(validFrom="2026-01-01T00:00:00"),
}


@pytest.mark.parametrize("corrupt", CORRUPTIONS.values(), ids=CORRUPTIONS.keys())
def test_what_cannot_be_relied_on_is_broken(corrupt):
    document = json.loads(json.dumps(BADGE))
    corrupt(document)
    assert verifier(KEY).verify_document(document).verdict is Verdict.BROKEN


UNSIGNABLE = (
    "an unknown word", "an unknown word deep inside", "no context", "an empty context", "its own words besides",
    "own words inside", "a context that is not at hand", "a relative name", "a nameless name",
)  # fmt: skip


@pytest.mark.parametrize("name", UNSIGNABLE)
def test_what_would_not_be_signed_is_not_issued_either(name):
    document = json.loads(json.dumps(BADGE))
    CORRUPTIONS[name](document)
    del document["proof"]
    with pytest.raises(DataError) as caught:
        issuing().sign(document)
    assert caught.value.code in ("credentials.undefined", "credentials.context")


@pytest.mark.parametrize("suite", ["eddsa-2022", "eddsa-rdf-2022"])
def test_older_names_of_the_suite_and_a_single_proof_are_read(suite):
    unsigned = {name: value for name, value in BADGE.items() if name != "proof"}
    made = sign_with(unsigned, {"type": "DataIntegrityProof", "cryptosuite": suite})
    assert verifier(KEY).verify_document(made).verdict is Verdict.VERIFIED


def sign_with(document, options):
    options = {**options, "created": "2026-06-01T12:00:00Z", "proofPurpose": "assertionMethod",
               "verificationMethod": KEY.method}  # fmt: skip
    signature = KEY.private.sign(_signed_bytes(document, options, CONTEXTS))
    return {**document, "proof": {**options, "proofValue": encode_multibase(signature)}}


def test_the_signature_of_2020_is_read():
    unsigned = {name: value for name, value in BADGE.items() if name != "proof"}
    unsigned["@context"] = [*unsigned["@context"], "https://w3id.org/security/suites/ed25519-2020/v1"]
    made = sign_with(unsigned, {"type": "Ed25519Signature2020"})
    assert verifier(KEY).verify_document(made).verdict is Verdict.VERIFIED


def test_an_equal_part_many_times_over_is_refused_before_it_is_ordered():
    document = json.loads(json.dumps(BADGE))
    document["credentialSubject"]["achievement"]["related"] = [{"type": ["Related"]}] * 12
    (finding,) = verifier(KEY).verify_document(document).findings
    assert finding.verdict is Verdict.BROKEN
    assert "more than 6 times" in finding.faults[0]


@pytest.mark.parametrize(
    ("dates", "verdict"),
    [
        ({"validFrom": NOON + timedelta(seconds=1)}, Verdict.EXPIRED),
        ({"validFrom": NOON}, Verdict.VERIFIED),
        ({"validUntil": NOON + timedelta(seconds=1)}, Verdict.VERIFIED),
        ({"validUntil": NOON}, Verdict.EXPIRED),
    ],
)
def test_dates_are_kept(dates, verdict):
    document = {name: value for name, value in BADGE.items() if name != "proof"}
    document |= {name: moment.isoformat() for name, moment in dates.items()}
    by = issuing()
    assert verifier(KEY).verify_document(by.sign(document)).verdict is verdict
    assert verifier(KEY).verify(as_token(document, by.key)).verdict is verdict


def test_an_issuer_is_only_known_by_its_own_keys():
    stranger = new_issuer(2)
    forged = sign_document(
        {name: value for name, value in BADGE.items() if name != "proof"}, stranger.private, method=stranger.method,
        created=NOON, contexts=CONTEXTS,
    )  # fmt: skip
    assert verifier().verify_document(forged).verdict is Verdict.FOREIGN_KEY
    assert verifier(KEY).verify_document(forged).verdict is Verdict.FOREIGN_KEY
    named = sign_document(
        {name: value for name, value in BADGE.items() if name != "proof"}, stranger.private,
        method=f"{KEY.issuer}#{stranger.multikey}", created=NOON, contexts=CONTEXTS,
    )  # fmt: skip
    assert verifier(KEY).verify_document(named).verdict is Verdict.BROKEN, "a did:key has one key, its own"


def test_who_signed_is_not_said_where_it_is_not_known():
    report = verifier().verify_document(BADGE)
    assert report.verdict is Verdict.INTACT
    assert f"who {KEY.issuer} is: no key of it is known here" in report.findings[0].not_checked


def test_an_unsigned_badge_inside_a_signed_record_shows():
    by = issuing()
    record = json.loads(json.dumps({name: value for name, value in RECORD.items() if name != "proof"}))
    del record["credentialSubject"]["verifiableCredential"][1]["proof"]
    assert verifier(KEY).verify_document(by.sign(record)).verdict is Verdict.UNSIGNED


@pytest.mark.parametrize(
    ("inside", "verdict"),
    [
        ({"id": "data:application/vc+jwt," + sign_token(BADGE, KEY)}, Verdict.VERIFIED),
        ({"id": "data:application/vc+jwt," + sign_token(BADGE, KEY)[:-9] + "AAAAAAAAA"}, Verdict.BROKEN),
        ({"id": "urn:uuid:1", "name": "No credential at all"}, Verdict.BROKEN),
    ],
)
def test_whatever_stands_where_a_credential_should_is_judged(inside, verdict):
    wrapped = {"@context": BADGE["@context"], "type": "EnvelopedVerifiableCredential", **inside}
    record = json.loads(json.dumps({name: value for name, value in RECORD.items() if name != "proof"}))
    record["credentialSubject"]["verifiableCredential"] = [wrapped]
    found = verifier(KEY).verify(as_token(record, KEY)).findings
    assert [each.verdict for each in found] == [Verdict.VERIFIED, verdict]


def test_what_was_not_checked_is_said():
    document = {name: value for name, value in BADGE.items() if name != "proof"}
    document["credentialStatus"] = {"id": "https://lakeside.example.org/status#1", "type": "BitstringStatusListEntry",
                                    "statusPurpose": "revocation", "statusListIndex": "1",
                                    "statusListCredential": "https://lakeside.example.org/status"}  # fmt: skip
    (finding,) = verifier(KEY).verify_document(issuing().sign(document)).findings
    assert finding.verdict is Verdict.VERIFIED
    assert any("revoked" in each for each in finding.not_checked)


class TestTokens:
    TOKEN = as_token(RECORD, KEY)

    def test_a_token_is_verified_with_all_that_is_inside(self):
        report = verifier(KEY).verify(self.TOKEN)
        assert [finding.verdict for finding in report.findings] == [Verdict.VERIFIED] * 4

    def test_the_old_form_with_vc_is_read(self):
        inner = {name: value for name, value in BADGE.items() if name not in ("proof", "id", "issuer", "validFrom")}
        token = sign_token_of({**claims_of(BADGE), "vc": inner})
        assert verifier(KEY).verify(token).verdict is Verdict.VERIFIED

    @pytest.mark.parametrize("claim", ["iss", "jti", "nbf"])
    def test_claims_must_say_what_the_credential_says(self, claim):
        wrong = {"iss": "did:key:z6MkOther", "jti": "urn:uuid:other", "nbf": 1}
        token = sign_token_of({**BADGE, **claims_of(BADGE), claim: wrong[claim]})
        (finding,) = verifier(KEY).verify(token).findings
        assert finding.verdict is Verdict.BROKEN
        assert any(claim in fault for fault in finding.faults)

    @pytest.mark.parametrize(
        ("claim", "value", "verdict"),
        [
            ("exp", int(NOON.timestamp()), Verdict.EXPIRED),
            ("exp", int(NOON.timestamp()) + 1, Verdict.VERIFIED),
            ("exp", "never", Verdict.EXPIRED),
            ("exp", True, Verdict.EXPIRED),
        ],
    )
    def test_the_tokens_own_end_is_kept(self, claim, value, verdict):
        token = sign_token_of({**BADGE, **claims_of(BADGE), claim: value})
        assert verifier(KEY).verify(token).verdict is verdict

    @pytest.mark.parametrize("place", range(3))
    def test_a_changed_part_does_not_hold(self, place):
        parts = self.TOKEN.decode().strip().split(".")
        middle = len(parts[place]) // 2
        other = "A" if parts[place][middle] != "A" else "B"
        parts[place] = parts[place][:middle] + other + parts[place][middle + 1 :]
        try:
            verdict = verifier(KEY).verify(".".join(parts).encode()).verdict
        except DataError as error:
            assert error.code == "credentials.unreadable"
        else:
            assert verdict is Verdict.BROKEN

    def test_a_key_in_the_token_itself_says_nothing_about_its_issuer(self):
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64url(base58.b58decode(KEY.multikey[1:])[2:])}
        token = sign_token_of({**BADGE, **claims_of(BADGE)}, {"jwk": jwk})
        assert verifier().verify(token).verdict is Verdict.FOREIGN_KEY
        assert verifier(KEY).verify(token).verdict is Verdict.VERIFIED

    @pytest.mark.parametrize("algorithm", ["none", "HS256"])
    def test_no_other_algorithm_is_taken(self, algorithm):
        encoded = base64url(json.dumps({"alg": algorithm, "kid": KEY.method}).encode())
        parts = self.TOKEN.decode().strip().split(".")
        assert verifier(KEY).verify(".".join([encoded, *parts[1:]]).encode()).verdict is Verdict.BROKEN


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def sign_token_of(payload, header=None):
    """A token with exactly this payload."""
    key = OKPKey.import_key(KEY.private)
    header = {"alg": "Ed25519", **(header or {"kid": KEY.method})}
    return jws.serialize_compact(header, json.dumps(payload).encode(), key, algorithms=["Ed25519"]).encode()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'{"type": "VerifiableCredential", "type": "Other"}', "credentials.unreadable"),
        (b'{"type": ["VerifiableCredential"], "n": NaN}', "credentials.unreadable"),
        (b"[]", "credentials.unreadable"),
        (b"{", "credentials.unreadable"),
        (b'{"a": "\xff"}', "credentials.unreadable"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "credentials.unreadable"),
        (b"{}", "credentials.none"),
        (b"eyJ.eyJ.x", "credentials.unreadable"),
    ],
)
def test_what_is_no_credential_is_told(text, code):
    with pytest.raises(DataError) as caught:
        verifier().verify(text)
    assert caught.value.code == code


class TestKeys:
    def test_a_key_is_for_its_owner_only_and_never_overwritten(self, tmp_path):
        path = tmp_path / "secrets" / "key.pem"
        public = new_key(path)
        assert path.stat().st_mode & 0o777 == 0o600
        assert read_key(path.read_text(), None).issuer == did_key(public)
        with pytest.raises(ConfigurationError) as caught:
            new_key(path)
        assert caught.value.code == "credentials.key-exists"
        assert read_key(path.read_text(), None).multikey == public

    def test_a_key_does_not_print_itself(self):
        assert "private" not in repr(KEY)

    @pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
    def test_what_is_no_key_is_told_without_quoting_it(self, text):
        with pytest.raises(ConfigurationError) as caught:
            read_key(text, None)
        assert caught.value.code == "credentials.key"
        assert "AAAA" not in str(caught.value)

    def test_old_keys_still_verify_after_a_change(self):
        issuer = "did:web:lakeside.example.org"
        old, new = new_issuer(1, issuer), new_issuer(2, issuer)
        by_old, by_new = (issuing(key).sign(open_badge(issuing(key), claims()[0])) for key in (old, new))
        known = read_key_document(key_document(issuer, [new.multikey, old.multikey]), "did.json")
        both = Verifier(CONTEXTS, known, NOON)
        assert both.verify_document(by_old).verdict is both.verify_document(by_new).verdict is Verdict.VERIFIED
        only_new = Verifier(CONTEXTS, KnownKeys({issuer: frozenset({new.multikey})}), NOON)
        assert only_new.verify_document(by_old).verdict is Verdict.FOREIGN_KEY

    @pytest.mark.parametrize(
        "document", [[], {}, {"id": "did:web:x"}, key_document("did:web:x", []),
                     {**key_document("did:web:x", [KEY.multikey]), "assertionMethod": []},
                     key_document("did:web:x", ["z6MkNoKey"])],
    )  # fmt: skip
    def test_what_is_no_key_document_is_told(self, document):
        with pytest.raises(DataError) as caught:
            read_key_document(document, "did.json")
        assert caught.value.code == "credentials.key-document"

    def test_other_kinds_of_keys_are_not_read(self):
        x25519 = "z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc"
        assert decode_key(x25519) is None
        assert decode_key("z0") is None
        assert decode_key("u" + KEY.multikey) is None
