"""The certificates of `mlapi up --https`: what they are valid for, and which of the user's are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.certificates import (
    AUTHORITY_DAYS,
    RENEWED_DAYS,
    Certificate,
    fingerprint_of,
    list_names,
    load_certificate,
    make_certificate,
)
from support.certificate import write_certificate

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
HOST = "192.0.2.7"


def read(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("https")


@pytest.fixture(scope="module")
def made(folder: Path) -> Certificate:
    certificate, is_new = make_certificate(folder, HOST, NOW)
    assert is_new
    return certificate


def test_keys_are_for_this_user_alone(folder: Path, made: Certificate) -> None:
    modes = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
    assert modes == {"ca.key": 0o600, "ca.pem": 0o600, "server.key": 0o600, "server.pem": 0o600}
    assert (made.chain, made.key, made.authority) == (
        folder / "server.pem",
        folder / "server.key",
        folder / "ca.pem",
    )


def test_the_server_is_vouched_for_by_the_authority(made: Certificate) -> None:
    assert made.authority is not None
    authority, server = read(made.authority), read(made.chain)
    server.verify_directly_issued_by(authority)
    usage = server.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not server.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert server.not_valid_after_utc == authority.not_valid_after_utc


def test_clocks_may_be_a_day_behind_and_no_system_finds_it_too_long(made: Certificate) -> None:
    server = read(made.chain)
    assert server.not_valid_before_utc == NOW - timedelta(days=1)
    assert server.not_valid_after_utc - server.not_valid_before_utc == timedelta(days=AUTHORITY_DAYS)


def test_it_is_valid_for_every_name_of_the_machine(made: Certificate) -> None:
    names = read(made.chain).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = map(str, names.get_values_for_type(x509.IPAddress))
    assert {*names.get_values_for_type(x509.DNSName), *addresses} == {*made.names}
    assert {HOST, "127.0.0.1", "::1", "localhost"} <= {*made.names}
    assert made.shown_name == ""


def test_who_steals_the_authority_can_pose_as_no_site_of_the_internet(made: Certificate) -> None:
    assert made.authority is not None
    constraints = read(made.authority).extensions.get_extension_for_class(x509.NameConstraints)
    permitted = [tree.value for tree in constraints.value.permitted_subtrees or ()]
    assert constraints.critical
    assert {name for name in permitted if isinstance(name, str)} == {
        name for name in made.names if name.isascii() and name[0].isalpha() and ":" not in name
    }
    assert ip_network("192.168.0.0/16") in permitted
    assert ip_network(f"{HOST}/32") in permitted
    assert ip_network("0.0.0.0/0") not in permitted
    basic = read(made.authority).extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (basic.ca, basic.path_length) == (True, 0)


def test_fingerprints_are_written_as_browsers_show_them(made: Certificate) -> None:
    assert made.authority is not None
    assert made.authority_fingerprint == fingerprint_of(read(made.authority))
    assert len(made.fingerprint.split(":")) == 32
    assert made.fingerprint == made.fingerprint.upper()


def test_the_authority_stays_and_the_servers_key_does_not(tmp_path: Path) -> None:
    made, _ = make_certificate(tmp_path, HOST, NOW)
    key = made.key.read_bytes()
    again, is_new = make_certificate(tmp_path, "127.0.0.1", NOW + timedelta(days=100))
    assert (is_new, again.authority_fingerprint) == (False, made.authority_fingerprint)
    assert again.fingerprint != made.fingerprint
    assert made.key.read_bytes() != key


def test_an_authority_that_ends_soon_is_replaced(tmp_path: Path) -> None:
    first, _ = make_certificate(tmp_path, HOST, NOW)
    last_day = NOW + timedelta(days=AUTHORITY_DAYS - 1 - RENEWED_DAYS)
    assert not make_certificate(tmp_path, HOST, last_day)[1]
    later, is_new = make_certificate(tmp_path, HOST, last_day + timedelta(seconds=1))
    assert is_new
    assert later.authority_fingerprint != first.authority_fingerprint


@pytest.mark.parametrize("damage", ["missing", "text", "another key", "another's"])
def test_a_damaged_authority_is_replaced(damage: str, tmp_path: Path) -> None:
    make_certificate(tmp_path, HOST, NOW)
    key = tmp_path / "ca.key"
    if damage == "missing":
        key.unlink()
    elif damage == "text":
        key.write_text("damaged")
    elif damage == "another's":
        write_certificate(key, "hack.example.org")
        (tmp_path / "ca.pem").write_bytes(key.read_bytes())
    else:
        key.write_bytes((tmp_path / "server.key").read_bytes())
    assert make_certificate(tmp_path, HOST, NOW)[1]


def test_for_a_public_address_that_it_may_not_vouch_for_it_is_replaced(tmp_path: Path) -> None:
    make_certificate(tmp_path, HOST, NOW)
    assert not make_certificate(tmp_path, "192.168.7.7", NOW)[1]  # in a private network, wherever it is
    assert make_certificate(tmp_path, "192.0.2.8", NOW)[1]


@pytest.mark.parametrize(
    ("hostname", "found"),
    [
        ("Anna-Laptop", ["anna-laptop", "anna-laptop.local"]),
        ("a.example.org", ["a.example.org", "a.local"]),
        ("not_a_name", []),
        ("", []),
    ],
)
def test_a_machine_is_called_by_its_host_name_too(hostname: str, found: list[str]) -> None:
    assert list_names(HOST, hostname) == (HOST, "127.0.0.1", "::1", "localhost", *found)


def test_on_loopback_there_are_no_other_names() -> None:
    assert list_names("127.0.0.1", "anna") == ("127.0.0.1", "::1", "localhost")


def given(folder: Path, name: str = "hack.example.org") -> tuple[Path, Path, datetime]:
    file = write_certificate(folder / f"{name.replace('*', 'star')}.pem", name)
    return file, file, datetime.now(UTC)


def test_a_users_certificate_is_taken_with_its_name(tmp_path: Path) -> None:
    chain, key, now = given(tmp_path)
    found = load_certificate(chain, key, now)
    assert (found.chain, found.key, found.names) == (chain, key, ("hack.example.org",))
    assert (found.authority, found.authority_fingerprint) == (None, "")
    assert found.shown_name == "hack.example.org"


def test_a_name_with_an_asterisk_is_in_no_address(tmp_path: Path) -> None:
    assert load_certificate(*given(tmp_path, "*.example.org")).shown_name == ""


def test_what_is_no_certificate_is_refused(tmp_path: Path) -> None:
    chain, key, now = given(tmp_path)
    text, other = tmp_path / "text.pem", given(tmp_path, "other.example.org")[1]
    text.write_text("hello")
    for certificate, private, reason in (
        (tmp_path / "missing.pem", key, "cannot be read: No such file or directory"),
        (text, key, "holds no certificate in PEM form"),
        (chain, text, "holds no private key in PEM form"),
        (chain, other, "is not the key of"),
    ):
        with pytest.raises(StartError, match=reason):
            load_certificate(certificate, private, now)


def test_a_key_with_a_password_is_refused(tmp_path: Path) -> None:
    chain, _, now = given(tmp_path)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(StartError, match="is protected by a password"):
        load_certificate(chain, locked, now)


@pytest.mark.parametrize("curve", [ec.SECP256K1(), ec.SECP384R1()])
def test_one_whose_kind_of_key_the_gateway_does_not_take_is_refused(
    curve: ec.EllipticCurve, tmp_path: Path
) -> None:
    file = write_certificate(tmp_path / "given.pem", "hack.example.org", ec.generate_private_key(curve))
    if isinstance(curve, ec.SECP384R1):
        load_certificate(file, file, datetime.now(UTC))
        return
    with pytest.raises(StartError, match="a kind of key that the gateway does not serve"):
        load_certificate(file, file, datetime.now(UTC))


def test_a_short_rsa_key_is_refused(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # that it is weak is the point
    file = write_certificate(tmp_path / "given.pem", "hack.example.org", key)
    with pytest.raises(StartError, match="a kind of key that the gateway does not serve"):
        load_certificate(file, file, datetime.now(UTC))


@pytest.mark.parametrize("days", [-2, 2])
def test_one_that_is_not_valid_now_is_refused(days: int, tmp_path: Path) -> None:
    chain, key, now = given(tmp_path)
    with pytest.raises(StartError, match=r"is valid from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d"):
        load_certificate(chain, key, now + timedelta(days=days))
