"""Forms of hosts and addresses: one form per thing, whoever reads it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import AddressValueError, IPv4Address
from typing import Annotated, Final
from urllib.parse import urlsplit

from .args import Because, Fault, TextForm, Words
from .names import DNS_1123_LABEL, LONGEST_LABEL, LONGEST_SUBDOMAIN, shorter

_HOST_WORDS: Final = (
    "a host name such as {example}: lower-case letters, digits, '-' and '.', at most 63 between "
    "dots and 253 in all, without scheme, port or path"
)


def is_host(text: str) -> bool:
    """Whether the text is a host name, or an IPv4 address."""
    if is_ipv4(text):
        return True
    labels = text.split(".")
    lower = len(text) <= LONGEST_SUBDOMAIN and all(map(DNS_1123_LABEL.allows, labels))
    # A last part of digits alone would be read as an address, and none it is.
    return lower and not labels[-1].isdigit()


def is_ipv4(text: str) -> bool:
    """Whether the text is an IPv4 address."""
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True


def host_faults(
    field: str, host: object, why: str, example: str = "models.example.com"
) -> Iterator[Fault]:
    """Refuses what is no host name, such as a URL; an Output passes unread.

    Args:
        field: Field that has it.
        host: The host name, or an IPv4 address.
        why: What it is for, as a clause.
        example: A host of the kind that is asked for.
    """
    if isinstance(host, str) and not is_host(host):
        meant = _host_of(host)
        hint = f" (did you mean {meant!r}?)" if meant else ""
        yield Fault(field, host, f"{_HOST_WORDS.format(example=example)}{hint}", why)


def domain_faults(field: str, domain: object, why: str) -> Iterator[Fault]:
    """Refuses what hosts cannot lie below: what is no host name, and an address."""
    yield from host_faults(field, domain, why)
    if isinstance(domain, str) and is_ipv4(domain):
        want = f"a domain, such as {domain}.sslip.io"
        yield Fault(field, domain, want, "there are no hosts below an address")


def host_form(example: str) -> TextForm:
    """The form of a host name, shown by an example of the kind that is asked for."""
    return TextForm(lambda field, host, why: host_faults(field, host, why, example))


def wildcard_faults(field: str, host: object, why: str) -> Iterator[Fault]:
    """Refuses what is no domain, and not all hosts below one: `*.example.com`."""
    domain = domain_below(host) if isinstance(host, str) else None
    for fault in domain_faults(field, domain if domain is not None else host, why):
        yield replace(fault, got=host, want=f"{fault.want}; or *. and such a name for all below it")


HostName = Annotated[str, TextForm(host_faults), Because("no host is called otherwise")]
"""Type of a host name, or of an IPv4 address."""
DomainName = Annotated[str, TextForm(domain_faults), Because("no domain is called otherwise")]
"""Type of a domain, below which there are hosts."""
WildcardName = Annotated[str, TextForm(wildcard_faults), Because("no domain is called otherwise")]
"""Type of a domain, or of all hosts below one, as the Gateway API spells them."""


def domain_below(name: str) -> str | None:
    """The domain of `*.` and a domain, below which all hosts are meant; None of a single host."""
    return name.removeprefix("*.") if name.startswith("*.") else None


def derived_host_faults(field: str, name: str, host: str, why: str) -> Iterator[Fault]:
    """Refuses a name of which too long a host is made.

    Args:
        field: Field that has the name.
        name: The name, which the host begins with.
        host: The host that is made of it.
        why: What becomes of such a host, as a clause.
    """
    label = host.split(".", 1)[0]
    over = max(len(label) - LONGEST_LABEL, len(host) - LONGEST_SUBDOMAIN)
    if over > 0:
        too_long = f"{label} in it is" if len(label) > LONGEST_LABEL else "it is"
        longest = LONGEST_LABEL if len(label) > LONGEST_LABEL else LONGEST_SUBDOMAIN
        reason = f"its host is {host}, and {too_long} over {longest} long; {why}"
        yield Fault(field, name, shorter(len(name) - over), reason)


def _host_of(text: str) -> str | None:
    """The host that the writer of a URL, of capitals, of a port or of a wildcard meant."""
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
        host = (parts.hostname or "").removeprefix("*.").rstrip(".").lower()
    except ValueError:
        return None
    return host if host and is_host(host) else None


_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+)(:(?P<port>\d{1,5}))?(?P<path>/\S*)?"
)


def is_url(text: str) -> bool:
    """Whether the text is an HTTP address with a host, perhaps a port and a path, and no user."""
    match = _URL.fullmatch(text)
    if match is None or not is_host(match["host"].lower()):
        return False
    return match["port"] is None or 1 <= int(match["port"]) <= 65535


def url_faults(field: str, url: object, why: str, example: str) -> Iterator[Fault]:
    """Refuses what is no HTTP address; an Output passes unread.

    Args:
        field: Field that has it.
        url: The address.
        why: What it is for, as a clause.
        example: An address of the kind that is asked for.
    """
    if isinstance(url, str) and not is_url(url):
        got = Words("given with a user in it") if "@" in url else url
        want = f"an address such as {example}: http or https, a host, and no user or password"
        yield Fault(field, got, want, why)


def url_form(example: str) -> TextForm:
    """The form of an HTTP address, shown by an example of the kind that is asked for."""
    return TextForm(lambda field, url, why: url_faults(field, url, why, example))


LOOPBACK: Final = r"localhost|127\.\d+\.\d+\.\d+|\[?::1\]?"
"""An address that only its own pod reaches."""
_API_PATH: Final = r"(?P<rest>.*?)/(api/v1(/query(_range)?)?|graph)/?"
"""Path of Prometheus' API or page, which those who ask it put behind its address by themselves."""


def prometheus_faults(field: str, url: object, why: str, example: str) -> Iterator[Fault]:
    """Refuses what is no address of a Prometheus for another pod; an Output passes unread.

    KEDA writes the path of the API behind all of it, a query too, and prometheus-adapter drops a
    query: prometheus_scaler.go of KEDA v2.21.0, pkg/client/api.go of the adapter
    v0.12.0, read 2026-11.

    Args:
        field: Field that has it.
        url: The address.
        why: What it is for, as a clause.
        example: An address of the kind that is asked for.
    """
    if not isinstance(url, str) or not is_url(plain := re.split(r"[?#]", url)[0]):
        yield from url_faults(field, url, why, example)
        return
    parts, path = urlsplit(plain), re.fullmatch(_API_PATH, urlsplit(plain).path)
    if re.fullmatch(LOOPBACK, parts.hostname or ""):
        reason = f"{why} from a pod of its own, where no Prometheus is"
        yield Fault(field, url, f"an address in the cluster, such as {example}", reason)
    elif path or plain != url:
        want = parts._replace(path=path["rest"]).geturl() if path else plain
        twice = ", and would be there twice" if path else ""
        got = url if plain == url else f"{url[: len(plain) + 1]}..."  # A query may hold a token.
        yield Fault(field, got, want, f"the path of the API is put behind it{twice}")


_REGISTRY: Final = re.compile(r"(?P<host>[A-Za-z0-9.-]+)(:(?P<port>\d{1,5}))?")


def registry_faults(field: str, registry: object, why: str) -> Iterator[Fault]:
    """Refuses what is no `host[:port]` of a registry; an Output passes unread."""
    if not isinstance(registry, str):
        return
    match = _REGISTRY.fullmatch(registry)
    port = int(match["port"] or 1) if match else 0
    if match is None or not is_host(match["host"]) or not 1 <= port <= 65535:
        want = "a registry as image references name it, such as docker.io or registry.local:5000"
        yield Fault(field, registry, want, why)


RegistryHost = Annotated[
    str, TextForm(registry_faults), Because("no registry is reached by another")
]
"""Type of the `host[:port]` of a registry."""
