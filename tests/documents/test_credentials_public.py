"""The public test credentials verify as they should, with what comes with the program and with the published contexts;
every change to one shows."""

from __future__ import annotations

import json

import pytest

from gateway.documents.credentials.canonical import canonical
from gateway.documents.credentials.contexts import Contexts
from gateway.documents.credentials.verify import Verdict
from tests.documents.credential_builders import published_contexts, verifier

INTACT, UNSIGNED, BROKEN = Verdict.INTACT, Verdict.UNSIGNED, Verdict.BROKEN
INSIDE = "credentialSubject.verifiableCredential"
SAMPLES = {
    "ob3/simple-eddsa-2022.json": {"": INTACT},
    "clr/simple.json": {"": INTACT, f"{INSIDE}[0]": INTACT},
    "clr/simple_v1.json": {
        "": INTACT,
        f"{INSIDE}[0]": INTACT,
        f"{INSIDE}[0].credentialSubject.achievement.endorsement[0]": INTACT,
        # signed with a did:key that is not their issuer's, inside a sound record of that issuer
        **{f"{INSIDE}[{number}]": INTACT for number in range(1, 6)},
    },
    "clr/simple-noproof.json": {"": UNSIGNED, f"{INSIDE}[0]": BROKEN},
}
SIGNED = [name for name in SAMPLES if "noproof" not in name]


@pytest.fixture(params=["shipped", "published"])
def contexts(request, shared_data, tmp_path):
    return Contexts(published_contexts(shared_data, tmp_path) if request.param == "published" else None)


def test_every_sample_is_listed(shared_data):
    there = shared_data / "credentials"
    found = {f"{folder}/{path.name}" for folder in ("ob3", "clr") for path in (there / folder).glob("*.json")}
    assert found - {"clr/clr_v2p0_schema_draft4.json"} == set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_verifies_as_it_should(name, shared_data, contexts):
    report = verifier(contexts=contexts).verify((shared_data / "credentials" / name).read_bytes())
    assert {finding.path: finding.verdict for finding in report.findings} == SAMPLES[name]


def test_a_strangers_key_inside_is_told_and_does_not_stand_alone(shared_data):
    document = json.loads((shared_data / "credentials/clr/simple_v1.json").read_text())
    report = verifier().verify_document(document)
    told = [finding.faults for finding in report.findings if finding.path.endswith("[1]")]
    assert any("belongs to did:key:" in fault for faults in told for fault in faults)
    alone = document["credentialSubject"]["verifiableCredential"][1]
    assert verifier().verify_document(alone).verdict is Verdict.FOREIGN_KEY


def leaves(value, path=()):
    """The path of every text that says something: no contexts, types or proofs."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key not in ("@context", "type", "proof"):
                yield from leaves(part, (*path, key))
    elif isinstance(value, list):
        for position, part in enumerate(value):
            yield from leaves(part, (*path, position))
    elif isinstance(value, str):
        yield path


def changed(document, path):
    copy = json.loads(json.dumps(document))
    part = copy
    for key in path[:-1]:
        part = part[key]
    text = part[path[-1]]
    part[path[-1]] = text.replace("2", "3", 1) if text[:4].isdigit() else f"{text}x"
    return copy


@pytest.mark.parametrize("name", ["ob3/simple-eddsa-2022.json", "clr/simple.json"])
def test_every_changed_text_shows(name, shared_data):
    document = json.loads((shared_data / "credentials" / name).read_text())
    paths = list(leaves(document))
    assert len(paths) > 6
    for path in paths:
        verdict = verifier().verify_document(changed(document, path)).findings[0].verdict
        assert verdict not in (Verdict.INTACT, Verdict.VERIFIED), path


@pytest.mark.parametrize("name", SIGNED)
def test_a_changed_signature_does_not_hold(name, shared_data):
    text = (shared_data / "credentials" / name).read_text()
    document = json.loads(text)
    proof = document["proof"][0] if isinstance(document["proof"], list) else document["proof"]
    proof["created"] = "2023-01-01T00:00:00Z"
    assert verifier().verify_document(document).findings[0].verdict is BROKEN


@pytest.mark.parametrize("name", ["clr/simple.json", "clr/simple_v1.json"])
def test_our_table_of_clr_terms_says_what_the_published_context_says(name, shared_data, tmp_path):
    document = json.loads((shared_data / "credentials" / name).read_text())
    document.pop("proof")
    document["partial"] = True
    document["credentialSubject"]["association"] = [
        {"type": "Association", "associationType": "precedes", "sourceId": "urn:a:1", "targetId": "urn:a:2"}
    ]
    if name == "clr/simple_v1.json":
        document.pop("partial")  # version 2.0 of the context does not have it
    published = Contexts(published_contexts(shared_data, tmp_path))
    ours = Contexts()
    assert canonical(document, ours) == canonical(document, published)
