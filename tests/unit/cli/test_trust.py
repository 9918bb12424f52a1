from __future__ import annotations

from centralized_ml_api.cli.request import Api
from centralized_ml_api.cli.trust import render_trust


def test_a_shell_fetches_the_authority_compares_it_and_trusts_it() -> None:
    api = Api("https://192.0.2.7:8080", None, "", fingerprint="AA", authority_fingerprint="BB:CC")
    assert render_trust(api).splitlines() == [
        "curl --fail --silent --show-error --output mlapi-ca.pem http://192.0.2.7:8080/ca.pem",
        "openssl x509 -in mlapi-ca.pem -noout -fingerprint -sha256",
        "# It must be BB:CC",
        "# From now on this shell trusts this API alone: use another one for pip and git.",
        (
            'export SSL_CERT_FILE="$PWD/mlapi-ca.pem" REQUESTS_CA_BUNDLE="$PWD/mlapi-ca.pem"'
            ' NODE_EXTRA_CA_CERTS="$PWD/mlapi-ca.pem"'
        ),
    ]


def test_an_address_in_brackets_is_quoted_since_shells_take_them_for_a_pattern() -> None:
    trust = render_trust(Api("https://[fd00::2]:8080", None, "", authority_fingerprint="AA"))
    assert "mlapi-ca.pem 'http://[fd00::2]:8080/ca.pem'\n" in trust


def test_where_everybody_trusts_the_certificate_nothing_is_to_do() -> None:
    assert render_trust(Api("https://hack.example.org", None, "", fingerprint="AA")) == ""
