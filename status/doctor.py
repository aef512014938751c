"""What `pulumi up` and `status` need of a machine, an account and a cluster, point by point.

Each is right, wrong, or not known; what is not right comes with its remedy. No value that may be a
secret is shown, and nothing is written: a cluster is asked by GET alone.
"""

import base64
import binascii
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import yaml
from cryptography import x509
from requests import codes
from rich.console import Console
from rich.text import Text

from plan.graph import graph_of
from plan.kinds import ADDON, CLUSTER, HELM_RELEASE
from plan.model import Plan
from plan.objects import items, section
from plan.refused import Refused
from plan.run import plan
from plan.stack_file import stack_path

from .cluster import ADOPTED, AT_ONCE, KINDS, Connection, Kind, Unanswered, not_an_api_server
from .pods import duration

LEAST_PYTHON: Final = (3, 11)
"""`requires-python` of this project."""
PLUGINS: Final = {"kubernetes": "pulumi-kubernetes", "alicloud": "pulumi-alicloud"}
"""Plugins of Pulumi, each by the package whose version it has."""
COMMAND_SECONDS: Final = 30
KEYS: Final[Sequence[tuple[str, ...]]] = (
    ("ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY"),
    ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
    ("ALICLOUD_ECS_ROLE_NAME",),
    ("ALICLOUD_PROFILE",),
    ("ALICLOUD_ROLE_ARN", "ALICLOUD_OIDC_PROVIDER_ARN"),
)
"""Variables by which the provider signs in, any one row of them: pulumi-alicloud, configuration,
and `docs/pull-requests.md`."""
_BUILT_IN: Final = re.compile(r"(^|\.)k8s\.io$|^(apps|batch|autoscaling|policy|extensions)?$")
"""API groups that every Kubernetes has."""
_VERSION: Final = re.compile(r"\d+\.\d+(?:\.\d+)?")


class Diagnosis(StrEnum):
    """What is said of a point."""

    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Point:
    """Something that has to be as it should, and whether it is."""

    name: str
    verdict: Diagnosis
    says: str
    remedy: str = ""


def show(
    stack: str,
    project: Path,
    kubeconfig: Path | None,
    context: str | None,
    console: Console,
    *,
    as_json: bool,
) -> int:
    """Shows all points, and gives the exit code: 0 where none is wrong, else 1.

    Args:
        stack: Name of the stack.
        project: Folder of the project.
        kubeconfig: Access to its cluster; None where there is none yet.
        context: Context of the kubeconfig; None for its current one.
        console: Where it is shown.
        as_json: Prints JSON.
    """
    planned, refusal = _planned(stack, project)
    cloud = planned is None or any(r.type.startswith("alicloud:") for r in planned.resources)
    points = [*machine(project), *account(stack, project, os.environ, cloud=cloud)]
    points.append(refusal or _stack(planned))
    points += cluster(planned, kubeconfig, context)
    if as_json:
        console.print(json.dumps([asdict(point) for point in points], indent=2), soft_wrap=True)
    else:
        for line in _lines(points):
            console.print(line, soft_wrap=True)
    return int(any(point.verdict is Diagnosis.WRONG for point in points))


def _lines(points: Sequence[Point]) -> Iterator[Text]:
    styles = {
        Diagnosis.OK: "green",
        Diagnosis.WRONG: "bold red",
        Diagnosis.UNKNOWN: "yellow",
    }
    for point in points:
        verdict = (f"{point.verdict:<10}", styles[point.verdict])
        yield Text.assemble(verdict, f"{point.name}: {point.says}.")
        if point.remedy:
            yield Text(f"{'':10}Do: {point.remedy}.")


def cluster_role() -> str:
    """The rights that `status`, `doctor` and `adopt` need, as YAML; nothing may be written."""
    groups: dict[str, list[str]] = {}
    for kind in (*KINDS, *ADOPTED):
        groups.setdefault(kind.group, []).append(kind.plural)
    rules: list[dict[str, Any]] = [
        {"apiGroups": [group], "resources": plurals, "verbs": ["list"]}
        for group, plurals in groups.items()
    ]
    rules.append({"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]})
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "ack-inference-status"},
        "rules": rules,
    }
    return str(yaml.safe_dump(role, sort_keys=False))


# --- the machine and the account -----------------------------------------------------------------


def machine(project: Path) -> Iterator[Point]:
    """Python, Pulumi and its plugins."""
    python = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= LEAST_PYTHON:
        yield Point("Python", Diagnosis.OK, python)
    else:
        least = ".".join(map(str, LEAST_PYTHON))
        yield Point("Python", Diagnosis.WRONG, f"{python} is too old", f"install {least} or later")
    pulumi = shutil.which("pulumi") or shutil.which("pulumi", path=Path.home() / ".pulumi" / "bin")
    if pulumi is None:
        yield Point(
            "Pulumi", Diagnosis.WRONG, "is not on the PATH", "install Pulumi's command line"
        )
        return
    yield _cli(_run(project, pulumi, "version"))
    yield from plugins(_run(project, pulumi, "plugin", "ls", "--json"))


def _cli(output: str) -> Point:
    here, sdk = _numbers(output), _installed("pulumi")
    if not here:
        return Point(
            "Pulumi", Diagnosis.UNKNOWN, "does not say its version", "run `pulumi version`"
        )
    shown = ".".join(map(str, here))
    if sdk and (here[0] != sdk[0] or here < sdk):
        wanted = ".".join(map(str, sdk))
        says = f"{shown}, and the program's SDK is {wanted}"
        return Point("Pulumi", Diagnosis.WRONG, says, f"install {wanted} or later")
    return Point("Pulumi", Diagnosis.OK, shown)


def plugins(output: str) -> Iterator[Point]:
    """Plugins of the providers, by what `pulumi plugin ls --json` prints."""
    try:
        entries = json.loads(output)
    except ValueError:
        entries = []
    for name, package in PLUGINS.items():
        wanted = _installed(package)
        there = {
            _numbers(str(entry.get("version")))
            for entry in entries
            if entry.get("name") == name and entry.get("kind") == "resource"
        }
        shown = ".".join(map(str, wanted))
        if wanted in there:
            yield Point(f"Plugin {name}", Diagnosis.OK, shown)
        else:
            says = f"{shown} is not here yet"
            remedy = (
                f"the first `up` fetches it, or `pulumi plugin install resource {name} {shown}`"
            )
            yield Point(f"Plugin {name}", Diagnosis.UNKNOWN, says, remedy)


def account(
    stack: str, project: Path, environment: Mapping[str, str], *, cloud: bool = True
) -> Iterator[Point]:
    """Backend, passphrase, keys and what only an account can say.

    Args:
        stack: Name of the stack.
        project: Folder of the project.
        environment: Variables of the process; their values are not shown.
        cloud: Whether the stack has resources at Alibaba Cloud. One without needs no account there.
    """
    yield _backend(environment)
    yield _passphrase(stack, project, environment)
    if not cloud:
        return
    rows = [row for row in KEYS if all(environment.get(name) for name in row)]
    half = [name for row in KEYS for name in row if environment.get(name)]
    if rows:
        yield Point("Keys", Diagnosis.OK, f"{' and '.join(rows[0])} are set")
    else:
        says = f"{half[0]} is set alone" if half else "no variable of a key is set"
        remedy = f"set {' and '.join(KEYS[0])}, of a RAM user that creates resources"
        yield Point("Keys", Diagnosis.WRONG, says, remedy)
    for name, remedy in (
        (
            "Service roles",
            "open the ACK console once: it asks for the service roles that the account lacks",
        ),
        ("Quota of GPUs", "look for the instance types in the Quota Center of the region"),
    ):
        yield Point(name, Diagnosis.UNKNOWN, "the account alone knows", remedy)


def _backend(environment: Mapping[str, str]) -> Point:
    address = environment.get("PULUMI_BACKEND_URL", "")
    if not address:
        try:
            path = Path(environment.get("PULUMI_HOME") or Path.home() / ".pulumi")
            address = str(json.loads((path / "credentials.json").read_text()).get("current") or "")
        except (OSError, ValueError, AttributeError):
            address = ""
    if not address:
        remedy = "set PULUMI_BACKEND_URL, or run `pulumi login` (docs/state.md)"
        return Point("Backend", Diagnosis.WRONG, "nobody is logged in", remedy)
    scheme, _, rest = address.partition("://")
    place = rest.rpartition("@")[2].partition("?")[0]
    return Point("Backend", Diagnosis.OK, f"{scheme}://{place}")


def _passphrase(stack: str, project: Path, environment: Mapping[str, str]) -> Point:
    try:
        document = yaml.safe_load(stack_path(project, stack).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, Refused):
        document = {}
    head = section(document)
    provider = str(head.get("secretsprovider") or "passphrase").partition(":")[0]
    if provider != "passphrase":
        return Point("Passphrase", Diagnosis.OK, f"secrets are encrypted by {provider}")
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        if name in environment:
            if name.endswith("FILE") and not Path(environment[name]).is_file():
                says = f"{name} names a file that does not exist"
                return Point("Passphrase", Diagnosis.WRONG, says, "mend its path")
            return Point("Passphrase", Diagnosis.OK, f"{name} is set")
    needs = "encryptionsalt" in head
    return Point(
        "Passphrase",
        Diagnosis.WRONG if needs else Diagnosis.UNKNOWN,
        "PULUMI_CONFIG_PASSPHRASE is not set" + (", and the stack file has secrets" * needs),
        "set it, or PULUMI_CONFIG_PASSPHRASE_FILE; Pulumi Cloud needs none",
    )


def _planned(stack: str, project: Path) -> tuple[Plan | None, Point | None]:
    try:
        return plan(stack, project), None
    except Refused as refused:
        says = "; ".join(sentence.strip().rstrip(".") for sentence in refused.sentences)
        return None, Point("Stack file", Diagnosis.WRONG, says, "mend the stack file")


def _stack(planned: Plan | None) -> Point:
    config = planned.config if planned else {}
    values = {key.rpartition(":")[2]: value for key, value in config.items()}
    network = section(values.get("network"))
    zones = ", ".join(str(zone.get("id")) for zone in items(network, "zones"))
    where = f"region {values['region']}" if values.get("region") else "an existing cluster"
    return Point("Stack file", Diagnosis.OK, where + (f", zones {zones}" if zones else ""))


# --- the cluster ---------------------------------------------------------------------------------


def cluster(planned: Plan | None, kubeconfig: Path | None, context: str | None) -> Iterator[Point]:
    """Access to a cluster, and whether it has what the stack needs of it."""
    if kubeconfig is None or not kubeconfig.is_file():
        says = "there is none" if kubeconfig is None else f"{kubeconfig} does not exist"
        remedy = (
            "before the first `up` there is none; then its output kubeconfig_command fetches it"
        )
        yield Point("Kubeconfig", Diagnosis.UNKNOWN, says, remedy)
        return
    try:
        connection = Connection(kubeconfig, context)
    except Refused as refused:
        yield Point(
            "Kubeconfig", Diagnosis.WRONG, " ".join(refused.sentences).rstrip("."), "mend it"
        )
        return
    yield lifetime(kubeconfig, context, datetime.now(UTC))
    try:
        live = str(connection.get("/version").json().get("gitVersion"))
        groups = _groups(connection.get("/apis").json())
    except Refused as refused:
        yield Point("API server", Diagnosis.WRONG, " ".join(refused.sentences).rstrip("."))
        return
    except Unanswered as error:
        yield Point("API server", Diagnosis.WRONG, f"{connection.address} says {error}")
        return
    except (ValueError, AttributeError, TypeError):
        yield Point("API server", Diagnosis.WRONG, not_an_api_server(connection.address))
        return
    yield Point("API server", Diagnosis.OK, f"{connection.address} answers: Kubernetes {live}")
    if planned is not None:
        yield from _kubernetes(planned, live)
        yield from resource_types(planned, groups)
    yield _rights(connection, planned)


def lifetime(kubeconfig: Path, context: str | None, now: datetime) -> Point:
    """Until when a kubeconfig is of use: by its client certificate, or by its token."""
    user = _user(kubeconfig, context)
    ends = None
    if data := user.get("client-certificate-data"):
        ends = not_after(_pem(str(data)))
    elif path := user.get("client-certificate"):
        with_folder = kubeconfig.parent / str(path)
        ends = not_after(with_folder.read_bytes()) if with_folder.is_file() else None
    elif token := user.get("token"):
        ends = expiry(str(token))
    name, remedy = "Kubeconfig", "fetch it anew: output kubeconfig_command"
    if ends is None:
        return Point(name, Diagnosis.OK, "is read; it does not say until when it is valid")
    when = f"{ends:%Y-%m-%d %H:%M} UTC"
    if ends <= now:
        return Point(name, Diagnosis.WRONG, f"expired at {when}", remedy)
    left = duration((ends - now).total_seconds())
    return Point(name, Diagnosis.OK, f"is valid until {when}, for {left}")


def _user(kubeconfig: Path, context: str | None) -> Mapping[str, Any]:
    document = section(yaml.safe_load(kubeconfig.read_text()))
    contexts = {
        entry.get("name"): section(entry, "context") for entry in items(document, "contexts")
    }
    user = section(contexts.get(context or document.get("current-context"))).get("user")
    users = {entry.get("name"): section(entry, "user") for entry in items(document, "users")}
    return section(users.get(user))


def _pem(data: str) -> bytes:
    try:
        return base64.b64decode(data)
    except binascii.Error:
        return b""


def not_after(pem: bytes) -> datetime | None:
    """When the first certificate of a text ends; None where there is none."""
    try:
        return x509.load_pem_x509_certificate(pem).not_valid_after_utc
    except ValueError:
        return None


def expiry(token: str) -> datetime | None:
    """When a token ends; None where it is no JSON Web Token, or has no end."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (IndexError, KeyError, TypeError, ValueError):
        return None


def _groups(document: Mapping[str, Any]) -> dict[str, list[str]]:
    return {
        str(group.get("name")): [str(entry.get("version")) for entry in items(group, "versions")]
        for group in items(document, "groups")
    }


def _kubernetes(planned: Plan, live: str) -> Iterator[Point]:
    clusters = planned.of(CLUSTER)
    for wanted in (str(entry.inputs.get("version") or "") for entry in clusters):
        there, minor = _numbers(live)[:2], _numbers(wanted)[:2]
        if minor and there != minor:
            says = f"the stack file says {wanted}, and the cluster has {live}"
            remedy = "`pulumi up` upgrades it; `ack-inference upgrade-plan` says in which order"
            yield Point("Kubernetes", Diagnosis.WRONG, says, remedy)


def resource_types(planned: Plan, groups: Mapping[str, Sequence[str]]) -> Iterator[Point]:
    """Whether the cluster serves the resource types of the stack, at their versions.

    Args:
        planned: The plan of the stack.
        groups: Versions of each API group that it serves.
    """
    installs = planned.of(HELM_RELEASE) or planned.of(ADDON)
    wanted = sorted({str(manifest["apiVersion"]) for manifest in planned.manifests()})
    for api_version in wanted:
        group, _, number = api_version.rpartition("/")
        if _BUILT_IN.search(group) or group == "helm.sh":
            continue
        served = groups.get(group, ())
        if number in served:
            yield Point(f"API {group}", Diagnosis.OK, f"{number} is served")
        elif served:
            says = f"serves {', '.join(served)}, and the stack needs {number}"
            remedy = "install the release that the stack pins, or mend its settings"
            yield Point(f"API {group}", Diagnosis.WRONG, says, remedy)
        else:
            verdict = Diagnosis.UNKNOWN if installs else Diagnosis.WRONG
            remedy = "`pulumi up` installs what the stack pins" if installs else "install it first"
            yield Point(f"API {group}", verdict, "is not served", remedy)


def _rights(connection: Connection, planned: Plan | None) -> Point:
    """Whether all that `status` reads may be listed, if only in the namespaces of the stack."""
    spaces = sorted({w.namespace for w in graph_of(planned).workloads}) if planned else []

    def refused(kind: Kind) -> tuple[bool, bool]:
        """In the whole cluster, and in a namespace of the stack as well."""
        everywhere = not _may_list(connection, kind, "")
        inside = not (kind.namespaced and spaces) or not all(
            _may_list(connection, kind, f"/namespaces/{space}") for space in spaces
        )
        return everywhere, everywhere and inside

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [*zip(KINDS, pool.map(refused, KINDS), strict=True)]
    partly = [kind.kind for kind, (everywhere, inside) in answers if everywhere and not inside]
    hidden = [kind.kind for kind, (_, inside) in answers if inside]
    remedy = (
        "bind what `ack-inference doctor STACK --rbac` prints; `status` says what it cannot see"
    )
    if not hidden and not partly:
        return Point("Rights", Diagnosis.OK, "`status` may list all that it reads")
    lists = f"{len(partly)} kinds may be listed in the stack's namespaces alone"
    if not any(kind.namespaced and inside for kind, (_, inside) in answers):
        says = f"{lists}, and {', '.join(hidden)} not at all" if hidden else lists
        return Point("Rights", Diagnosis.UNKNOWN, says, remedy)
    return Point("Rights", Diagnosis.WRONG, f"{', '.join(hidden)} may not be listed", remedy)


def _may_list(connection: Connection, kind: Kind, where: str) -> bool:
    """Whether a kind may be listed; one that is not there may."""
    try:
        connection.get(f"{kind.path}{where}/{kind.plural}?limit=1")
    except Unanswered as error:
        return error.code != codes.forbidden
    return True


def _run(project: Path, *command: str) -> str:
    """What a command prints; nothing where it fails."""
    try:
        return subprocess.run(  # noqa: S603  Pulumi's own command line
            command,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            cwd=project,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def _installed(package: str) -> tuple[int, ...]:
    try:
        return _numbers(version(package))
    except PackageNotFoundError:
        return ()


def _numbers(text: str) -> tuple[int, ...]:
    match = _VERSION.search(text)
    return tuple(map(int, match[0].split("."))) if match else ()
