"""Makes and reads the certificates of `mlapi up --https`: its own authority, or the files that the user has.

The authority is made once for a state folder, so that people trust it once. It can vouch for this machine and
for private networks alone: whoever steals its key cannot pose as a site of the internet.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.ports import LOOPBACK_NAMES, parse_address, reachable_addresses
from centralized_ml_api.local.machine.private_file import write_private_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

AUTHORITY_DAYS = 825
"""The longest that Apple's systems take of a certificate that a user trusts.

Source: https://support.apple.com/en-us/103769
"""

RENEWED_DAYS = 30
"""An authority that ends sooner is replaced, so that it does not end during an event."""

CLOCK_DAYS = 1
"""How far clocks of participants may be behind."""

_PRIVATE_IPV4 = "127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16 100.64.0.0/10"
PRIVATE_NETWORKS = (*map(ipaddress.ip_network, f"{_PRIVATE_IPV4} ::1/128 fc00::/7 fe80::/10".split()),)
"""Networks whose addresses mean another machine wherever one is.

Source: https://www.iana.org/assignments/iana-ipv4-special-registry and
https://www.iana.org/assignments/iana-ipv6-special-registry
"""

_FEWEST_RSA_BITS = 2048

_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files with which the gateway proves who it is.

    Attributes:
        chain: The file of its certificate, maybe with others that vouch for it.
        key: The file of its private key.
        names: The host names and addresses for which it is valid; a name may begin with `*.`.
        fingerprint: The SHA-256 of the certificate, as `fingerprint_of` renders it.
        authority: The file of the own authority's certificate; None where the user brought a certificate.
        authority_fingerprint: That of the authority; empty without one.
    """

    chain: Path
    key: Path
    names: tuple[str, ...]
    fingerprint: str
    authority: Path | None = None
    authority_fingerprint: str = ""

    @property
    def shown_name(self) -> str:
        """The name to show in addresses; empty where any address of this machine will do."""
        if self.authority is not None:
            return ""
        return next((name for name in self.names if not name.startswith("*.")), "")


def load_certificate(chain: Path, key: Path, now: dt.datetime) -> Certificate:
    """Returns the user's certificate, its key checked against it.

    Args:
        chain: PEM, the server's own certificate first.
        key: Its private key: PEM without a password.
        now: Must be within its validity.

    Raises:
        StartError: One of them cannot be read, they do not belong together, it is not valid now, or the
            gateway cannot use its kind of key.
    """
    try:
        leaf = x509.load_pem_x509_certificates(_read(chain))[0]
    except ValueError as error:
        raise StartError(f"{chain} holds no certificate in PEM form", fix="name a PEM file") from error
    if _public_bytes(_load_key(key)) != _public_bytes(leaf):
        raise StartError(
            f"{key} is not the key of {chain}", fix="name the key that the certificate was made with"
        )
    if not _is_served(leaf):
        raise StartError(
            f"{chain} has a kind of key that the gateway does not serve",
            fix="make one with RSA of 2048 bits or more, or with the curve P-256, P-384 or P-521",
        )
    if not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
        begins, ends = leaf.not_valid_before_utc, leaf.not_valid_after_utc
        raise StartError(
            f"{chain} is valid from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}",
            fix="renew it, or let --https make one",
        )
    return Certificate(chain.absolute(), key.absolute(), _names_of(leaf), fingerprint_of(leaf))


def make_certificate(folder: Path, host: str, now: dt.datetime) -> tuple[Certificate, bool]:
    """Makes a certificate for what a listener on `host` is called by, and the authority where it is missing.

    Args:
        folder: Of the authority, which is kept there.
        host: The address that is listened on.
        now: When both begin to be valid.

    Returns:
        The certificate, and whether the authority is new.

    Raises:
        StartError: A file cannot be written.
    """
    authority_file, authority_key_file = folder / "ca.pem", folder / "ca.key"
    names = list_names(host, socket.gethostname())
    found = _load_authority(authority_file, authority_key_file)
    is_new = found is None or not _serves(found[0], names, now)
    if found is None or is_new:
        found = _make_authority(names, now)
        write_private_file(authority_key_file, _key_text(found[1]))
        write_private_file(authority_file, _text(found[0]))
    authority, authority_key = found
    leaf, leaf_key = _make_leaf(authority, authority_key, names, now)
    chain, key = folder / "server.pem", folder / "server.key"
    write_private_file(key, _key_text(leaf_key))
    write_private_file(chain, _text(leaf))
    made = Certificate(
        chain,
        key,
        names,
        fingerprint_of(leaf),
        authority_file,
        authority_fingerprint=fingerprint_of(authority),
    )
    return made, is_new


def list_names(host: str, hostname: str) -> tuple[str, ...]:
    """Returns what a listener on `host` is called by: the addresses first, then names.

    Others may also find a machine by its name, alone or with `.local` (mDNS).
    """
    addresses = reachable_addresses(host)
    names = dict.fromkeys((*addresses, *LOOPBACK_NAMES))
    short = hostname.lower().partition(".")[0]
    if addresses and _HOST_NAME.fullmatch(hostname.lower()):
        names |= dict.fromkeys((hostname.lower(), f"{short}.local"))
    return tuple(names)


def fingerprint_of(certificate: x509.Certificate) -> str:
    """Returns the SHA-256 of a certificate as browsers and `openssl x509 -fingerprint` show it."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _serves(authority: x509.Certificate, names: Iterable[str], now: dt.datetime) -> bool:
    """Returns whether an authority may vouch for these names, and for long enough."""
    if authority.not_valid_after_utc - now < dt.timedelta(days=RENEWED_DAYS):
        return False
    try:
        constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:  # somebody else made it
        return False
    permitted = constraints.permitted_subtrees
    return all(any(_contains(tree.value, name) for tree in permitted or ()) for name in names)


def _contains(tree: object, name: str) -> bool:
    if isinstance(tree, str):
        return name == tree or name.endswith(f".{tree}")
    address = parse_address(name)
    return (
        address is not None
        and isinstance(tree, ipaddress.IPv4Network | ipaddress.IPv6Network)
        and (address in tree)
    )


def _load_authority(file: Path, key_file: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None:
    """Returns the authority and its key; None where they are missing or damaged."""
    try:
        authority = x509.load_pem_x509_certificate(file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        return None
    is_pair = isinstance(key, ec.EllipticCurvePrivateKey) and _public_bytes(key) == _public_bytes(authority)
    return (authority, key) if is_pair and isinstance(key, ec.EllipticCurvePrivateKey) else None


def _make_authority(
    names: Iterable[str], now: dt.datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    hosts = [name for name in names if parse_address(name) is None]
    addresses = [address for name in names if (address := parse_address(name)) is not None]
    others = [
        ipaddress.ip_network(address)
        for address in addresses
        if not any(address in network for network in PRIVATE_NETWORKS)
    ]
    permitted = [
        *(x509.DNSName(name) for name in hosts),
        *(x509.IPAddress(network) for network in (*PRIVATE_NETWORKS, *others)),
    ]
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, f"Centralized ML API, {now:%Y-%m-%d %H:%M}")]
    )
    builder = (
        _begin(subject, subject, key, now, now + dt.timedelta(days=AUTHORITY_DAYS - CLOCK_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_build_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
    )
    return builder.sign(key, hashes.SHA256()), key


def _make_leaf(
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    names: tuple[str, ...],
    now: dt.datetime,
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    general = [
        x509.DNSName(name) if (address := parse_address(name)) is None else x509.IPAddress(address)
        for name in names
    ]
    builder = (
        _begin(subject, authority.subject, key, now, authority.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_build_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(general), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
    )
    return builder.sign(authority_key, hashes.SHA256()), key


def _begin(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
    until: dt.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=CLOCK_DAYS))
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _build_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _is_served(certificate: x509.Certificate) -> bool:
    """Returns whether Envoy takes the kind of key.

    Source: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/security/ssl
    """
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= _FEWEST_RSA_BITS
    if isinstance(key, ec.EllipticCurvePublicKey):
        return isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1)
    return True


def _names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = (str(address) for address in names.get_values_for_type(x509.IPAddress))
    return (*names.get_values_for_type(x509.DNSName), *addresses)


def _load_key(file: Path) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(_read(file), None)
    except TypeError as error:
        raise StartError(
            f"{file} is protected by a password", fix="write the key without one: openssl pkey -in FILE"
        ) from error
    except ValueError as error:
        raise StartError(f"{file} holds no private key in PEM form", fix="name a PEM file") from error


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StartError(
            f"{file} cannot be read: {error.strerror or error}",
            fix="check its path, and that you may read it",
        ) from error


def _public_bytes(owner: PrivateKeyTypes | x509.Certificate) -> bytes:
    return owner.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_text(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
