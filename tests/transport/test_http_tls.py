"""TLS is verified, always, and a refusal says why (fault matrix F33)."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.core.errors import ConfigurationError
from gateway.testing.wsgi import serve
from gateway.transport.http import HttpClient

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="certificates are made with the openssl program"
)


def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"{}"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority of our own: ``ca.pem`` and ``ca.key``."""
    folder = tmp_path_factory.mktemp("authority")
    openssl(folder, "req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "9", "-subj", "/CN=Test")
    return folder


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def certificate(folder: Path, *, names: str = "IP:127.0.0.1", days: str = "9", own: bool = False) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate of the authority or signed by itself."""
    openssl(folder, "req", "-new", *_KEY, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server")
    (folder / "names").write_text(f"subjectAltName={names}")
    signer = ("-signkey", "server.key") if own else ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
    openssl(
        folder, "x509", "-req", "-in", "server.csr", *signer, "-days", days, "-extfile", "names", "-out", "server.pem"
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context


def test_a_certificate_of_the_named_authority_is_trusted(authority: Path) -> None:
    with serve(app, tls=certificate(authority)) as url:
        client = HttpClient(base_url=url, ca_bundle=authority / "ca.pem")
        assert client.request("GET", "results").body == b"{}"
        client.close()


def old_tls(folder: Path) -> ssl.SSLContext:
    context = certificate(folder)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1
    return context


@pytest.mark.parametrize(
    ("tls", "code", "words"),
    [
        (lambda folder: certificate(folder, days="-1"), "http.certificate", "expired"),
        (lambda folder: certificate(folder, names="DNS:elsewhere.example"), "http.certificate", "not valid for"),
        (lambda folder: certificate(folder, own=True), "http.certificate", "self-signed"),
        (old_tls, "http.tls", "TLS 1.2"),
    ],
    ids=["expired", "wrong host", "self-signed", "TLS 1.1 only"],
)
def test_what_cannot_be_trusted_is_refused_with_the_reason(
    tls: Callable[[Path], ssl.SSLContext], code: str, words: str, authority: Path
) -> None:
    waits: list[float] = []
    with serve(app, tls=tls(authority)) as url, pytest.raises(ConfigurationError) as caught:
        HttpClient(base_url=url, ca_bundle=authority / "ca.pem", sleep=waits.append).request("GET", "results")
    assert caught.value.code == code
    assert words in caught.value.message
    assert caught.value.hint
    assert waits == []


def test_the_usual_authorities_do_not_vouch_for_ours(authority: Path) -> None:
    with serve(app, tls=certificate(authority)) as url, pytest.raises(ConfigurationError) as caught:
        HttpClient(base_url=url).request("GET", "results")
    assert caught.value.code == "http.certificate"


def test_a_missing_file_of_authorities_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="authorities' certificates"):
        HttpClient(base_url="https://sis.example", ca_bundle=tmp_path / "none.pem").request("GET", "results")
