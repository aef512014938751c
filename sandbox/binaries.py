"""The programs that the sandbox runs: built once from Go modules that go.sum pins, then kept."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

TOOLS: Final = Path(__file__).parent / "tools"
ENGINE_VERSION: Final = (3, 259, 0)
"""Oldest engine that the sandbox was tried with."""
KUBERNETES_VERSION: Final = "v1.34.1"

_NOT_BUILT: Final = ("_test.go", ".md")
_VERSIONED: Final = "k8s.io/component-base/version"
_KUBERNETES: Final = MappingProxyType(
    {
        f"{_VERSIONED}.gitVersion": KUBERNETES_VERSION,
        f"{_VERSIONED}.gitMajor": "1",
        f"{_VERSIONED}.gitMinor": "34",
    }
)


class Unavailable(Exception):
    """A program cannot be had on this machine; says in one line what is missing."""


@dataclass(frozen=True)
class Program:
    """What to build, from a module of its own under `sandbox/tools`."""

    module: str
    """Folder of its go.mod."""
    package: str
    """Package of its `main`."""
    linked: Mapping[str, str] = field(default_factory=dict)
    """Variables that are set when it is linked."""
    edits: Mapping[str, str] = field(default_factory=dict)
    """Text of its `main.go` that is replaced: what takes a pod of its own, such as a fixed port."""
    beside: str = ""
    """Package of others whose files are laid beside ours in a folder of its name, as they are: a
    door to what it keeps to itself."""
    nodes: bool = False
    """Whether only a sandbox with nodes, or the proof of its controllers, runs it."""


PROGRAMS: Final[Mapping[str, Program]] = MappingProxyType(
    {
        "pulumi": Program(
            "engine",
            "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            {
                "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": ".".join(
                    map(str, ENGINE_VERSION)
                )
            },
        ),
        "kube-apiserver": Program("apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", _KUBERNETES),
        "kube-controller-manager": Program(
            "apiserver", "k8s.io/kubernetes/cmd/kube-controller-manager", _KUBERNETES, nodes=True
        ),
        "kube-scheduler": Program("scheduler", ".", _KUBERNETES, nodes=True),
        "kwok": Program("kwok", "sigs.k8s.io/kwok/cmd/kwok", nodes=True),
        "etcd": Program("etcd", "go.etcd.io/etcd/server/v3"),
        "knative-check": Program("knative", "."),
        "fluid-dataset-controller": Program(
            "fluid", "github.com/fluid-cloudnative/fluid/cmd/dataset", nodes=True
        ),
        "fluid-jindoruntime-controller": Program(
            "fluid", "github.com/fluid-cloudnative/fluid/cmd/jindo", nodes=True
        ),
        "kubelet": Program("kubelet", ".", nodes=True),
        "keda-adapter": Program("keda", "github.com/kedacore/keda/v2/cmd/adapter", nodes=True),
        "keda-operator": Program("keda", "github.com/kedacore/keda/v2/cmd/operator", nodes=True),
        "keda-webhooks": Program("keda", "github.com/kedacore/keda/v2/cmd/webhooks", nodes=True),
        "kserve-manager": Program("kserve", "github.com/kserve/kserve/cmd/manager", nodes=True),
        "kserve-llmisvc": Program("kserve", "github.com/kserve/kserve/cmd/llmisvc", nodes=True),
        "knative-autoscaler": Program(
            "knative",
            "knative.dev/serving/cmd/autoscaler",
            edits={
                '\t"net/http"\n': '\t"net/http"\n\t"os"\n',
                "statserver.New(statsServerAddr,": (
                    'statserver.New("127.0.0.1:"+os.Getenv("STATISTICS_PORT"),'
                ),
            },
            nodes=True,
        ),
        "knative-controller": Program(
            "knative",
            "knative.dev/serving/cmd/controller",
            edits={
                "signals.NewContext()": "sharedmain.WithHealthProbesDisabled(signals.NewContext())"
            },
            nodes=True,
        ),
        "knative-stand-in": Program("knative", "./standin", nodes=True),
        "knative-webhook": Program("knative", "knative.dev/serving/cmd/webhook", nodes=True),
        "envoy-gateway": Program(
            "envoy-gateway", "github.com/envoyproxy/gateway/cmd/envoy-gateway", nodes=True
        ),
        "endpoint-picker": Program(
            "endpoint-picker", "sigs.k8s.io/gateway-api-inference-extension/cmd/epp", nodes=True
        ),
        "body-router": Program(
            "endpoint-picker", "sigs.k8s.io/gateway-api-inference-extension/cmd/bbr", nodes=True
        ),
        "ratelimit": Program(
            "ratelimit", "github.com/envoyproxy/ratelimit/src/service_cmd", nodes=True
        ),
        "redis": Program("ratelimit", "./redis", nodes=True),
        "lws-manager": Program("lws", "sigs.k8s.io/lws/cmd", nodes=True),
        "helm": Program("helm", "helm.sh/helm/v3/cmd/helm"),
        "prometheus": Program(
            "prometheus", "github.com/prometheus/prometheus/cmd/prometheus", nodes=True
        ),
        "promtool": Program(
            "prometheus", "github.com/prometheus/prometheus/cmd/promtool", nodes=True
        ),
        "metrics-adapter": Program(
            "metrics-adapter", "sigs.k8s.io/prometheus-adapter/cmd/adapter", nodes=True
        ),
        "blis": Program("blis", "github.com/inference-sim/inference-sim", nodes=True),
        "hey": Program("hey", "github.com/rakyll/hey"),
        "pulumi-language-yaml": Program(
            "yaml", "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml", nodes=True
        ),
    }
)


def find(name: str, say: Callable[[str], None] = lambda _: None) -> Path:
    """Finds a program, or builds it: minutes the first time, nothing later.

    A `pulumi` on PATH that is new enough is taken as it is.

    Args:
        name: A key of `PROGRAMS`.
        say: Told before a build begins.

    Raises:
        Unavailable: It is not there, and cannot be built here.
    """
    if name == "pulumi" and (installed := _installed_pulumi()):
        return installed
    return built(name, PROGRAMS[name], say)


def built(name: str, program: Program, say: Callable[[str], None] = lambda _: None) -> Path:
    """Finds a program by what it is built of, or builds it.

    Args:
        name: What it is called.
        program: What to build.
        say: Told before a build begins.

    Raises:
        Unavailable: It is not there, and cannot be built here.
    """
    binary = cache_folder() / f"{name}-{_fingerprint(program)}" / "bin" / name
    if not binary.is_file():
        _build(program, binary, say)
    return binary


def why_unavailable(*, nodes: bool = False) -> str | None:
    """Says in one line why nothing can be built here, or None.

    Args:
        nodes: Asks for what a sandbox with nodes runs too.
    """
    needed = [name for name, program in PROGRAMS.items() if nodes or not program.nodes]
    if find_go() or all(map(is_kept, needed)):
        return None
    parts = "Pulumi's engine and Kubernetes' API server"
    if nodes:
        parts = "Pulumi's engine, Kubernetes' control plane and the controllers of its add-ons"
    return (
        f"Go is not installed: the sandbox builds {parts} from source. "
        "Install Go 1.26 or later from https://go.dev/dl/."
    )


def is_kept(name: str) -> bool:
    """Whether a program, a key of `PROGRAMS`, was built on this machine or is installed there."""
    binary = cache_folder() / f"{name}-{_fingerprint(PROGRAMS[name])}" / "bin" / name
    return binary.is_file() or (name == "pulumi" and _installed_pulumi() is not None)


def _build(program: Program, target: Path, say: Callable[[str], None]) -> None:
    go = find_go()
    if go is None:
        why = why_unavailable(nodes=program.nodes)
        raise Unavailable(why or f"{target.name} is missing.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_file():  # Somebody else may have built it meanwhile.
            say(f"Building {target.name} from source; this is done once and takes minutes.")
            _compile(go, program, target)


def _compile(go: str, program: Program, target: Path) -> None:
    variables = " ".join(f"-X {name}={value}" for name, value in program.linked.items())
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        built = Path(folder) / target.name
        flags = ["-trimpath", "-mod=readonly", "-ldflags", f"-s -w {variables}"]
        package = program.package
        if program.edits:
            overlay, package = _edited(go, program, Path(folder))
            flags += overlay
        if program.beside:
            flags += _laid_beside(go, program, Path(folder))
        command = [go, "build", *flags, "-o", str(built), package]
        result = subprocess.run(command, cwd=TOOLS / program.module, capture_output=True, text=True)
        if result.returncode:
            reason = result.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise Unavailable(f"Building {target.name} failed: {reason[0]}")
        built.replace(target)


def _edited(go: str, program: Program, folder: Path) -> tuple[list[str], str]:
    """Options of a build that finds an edited copy of the package in our own module, and its name.

    Go lets nothing be laid over a module of others.
    """
    package = program.package.rpartition("/")[2]
    replaced = {}
    for source in _sources(go, program.module, program.package):
        text = source.read_text()
        copy = folder / source.name
        copy.write_text(edit(text, program.edits) if source.name == "main.go" else text)
        replaced[str(TOOLS / program.module / package / source.name)] = str(copy)
    return _overlay(replaced, folder), f"./{package}"


def _laid_beside(go: str, program: Program, folder: Path) -> list[str]:
    """Options of a build that finds the files of a package of others beside ours."""
    own = TOOLS / program.module / program.beside.rpartition("/")[2]
    sources = _sources(go, program.module, program.beside)
    return _overlay({str(own / source.name): str(source) for source in sources}, folder)


def _sources(go: str, module: str, package: str) -> list[Path]:
    """The files that a package of a module is built of."""
    command = [go, "list", "-mod=readonly", "-f", "{{.Dir}}", package]
    result = subprocess.run(command, cwd=TOOLS / module, capture_output=True, text=True)
    if result.returncode:
        raise Unavailable(result.stderr.strip().splitlines()[-1])
    files = Path(result.stdout.strip()).glob("*.go")
    return [source for source in files if not source.name.endswith("_test.go")]


def _overlay(replaced: Mapping[str, str], folder: Path) -> list[str]:
    overlay = folder / "overlay.json"
    overlay.write_text(json.dumps({"Replace": replaced}))
    return ["-overlay", str(overlay)]


def edit(text: str, edits: Mapping[str, str]) -> str:
    """A text with replacements, each of which has one place.

    Raises:
        Unavailable: It is not the text that the edits were written for.
    """
    for before, after in edits.items():
        if text.count(before) != 1:
            raise Unavailable(
                f"Its source has {before.strip()} {text.count(before)} times, not once."
            )
        text = text.replace(before, after)
    return text


def _fingerprint(program: Program) -> str:
    """Changes with the pinned modules, our own sources and the link flags."""
    build = (program.package, sorted(program.linked.items()), *sorted(program.edits.items()))
    digest = hashlib.sha256(f"{build}{program.beside}".encode())
    for path in sorted((TOOLS / program.module).rglob("*")):
        if path.is_file() and not path.name.endswith(_NOT_BUILT):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def cache_folder() -> Path:
    """Where what was made once is kept."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "ack-inference" / "sandbox"


def find_go() -> str | None:
    """The `go` command, or None."""
    return shutil.which("go") or shutil.which("/usr/local/go/bin/go")


def _installed_pulumi() -> Path | None:
    path = shutil.which("pulumi")
    if path is None or Path(path).parent.name != "bin":
        return None  # The Automation API finds an engine only in a folder of that name.
    output = subprocess.run([path, "version"], capture_output=True, text=True).stdout
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", output)
    return Path(path) if match and tuple(map(int, match.groups())) >= ENGINE_VERSION else None
