"""What all Helm releases of the platform have in common."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import pulumi
from pydantic import Field

from ..args import MISSING, Args, Fault, Words
from ..bindings import kubernetes
from ..catalog.charts import Chart

INSTALL_SECONDS = 900
_OCI = "oci://"


class ChartSource(Protocol):
    """What the user chose of where a chart comes from."""

    @property
    def chart(self) -> str | None:
        """Name of the chart, an oci:// reference, or the URL of a .tgz."""

    @property
    def repository(self) -> str | None:
        """HTTP repository of the chart."""

    @property
    def version(self) -> str | None:
        """Version of the chart."""

    @property
    def timeout_seconds(self) -> int:
        """How long an installation may take, in seconds."""


class HelmChart(Args):
    """Where a chart comes from, and what it is given, beside what is pinned here."""

    chart: str | None = None
    """Name of the chart, an oci:// reference, or the URL of a .tgz. Default: upstream's."""
    repository: str | None = None
    """HTTP repository of the chart, e.g. a mirror. Default: upstream's."""
    version: str | None = None
    """Version of the chart. Default: the one that is pinned here."""
    values: dict[str, Any] | None = None
    """Values laid over ours."""
    timeout_seconds: int = Field(default=INSTALL_SECONDS, ge=60)
    """How long an installation may take, in seconds."""

    def _faults(self) -> Iterator[Fault]:
        yield from source_faults(self.chart, self.repository, self.version)
        yield from null_faults(self.values)


def address_faults(source: ChartSource, name: str) -> Iterator[Fault]:
    """Refuses a chart of ACK's without its address; that of an archive has the version in it.

    Args:
        source: What the user chose.
        name: What ACK calls the chart.
    """
    is_archive = (source.chart or "").endswith(".tgz")
    for field in ("chart",) if is_archive else ("chart", "version"):
        if getattr(source, field) is None:
            why = f"{name} has no address that we could know"
            yield Fault(field, MISSING, "given with flavor ack", why)


def source_faults(
    chart: str | None, repository: str | None, version: str | None
) -> Iterator[Fault]:
    """Refuses what Helm would fetch from elsewhere than it says, or not at all."""
    is_oci, is_archive = (chart or "").startswith(_OCI), (chart or "").endswith(".tgz")
    if repository is not None and (is_oci or is_archive):
        yield Fault("repository", repository, "left out", "`chart` says where it is by itself")
    elif repository is not None and not repository.startswith(("https://", "http://")):
        want = "an http(s):// address"
        yield Fault(
            "repository", repository, want, "a chart of an OCI registry is named by `chart`"
        )
    if version is not None and is_archive:
        yield Fault("version", version, "left out", "the .tgz in `chart` is one version")


def null_faults(values: Mapping[str, Any] | None) -> Iterator[Fault]:
    """Refuses null in values, by which Helm takes a chart's default away, and Pulumi does not.

    See findings/pulumi-loses-null-and-empty-values.sh.
    """
    for path, value in _leaves(values or {}, "values"):
        if value is None:
            want = "left out, or a value that does the same, such as [], false or ''"
            why = "Pulumi drops it before Helm sees it, and the chart's own default stays"
            yield Fault(path, Words("null"), want, why)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """What stands in values, by where it is; empty lists and sections are leaves too."""
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from _leaves(each, f"{path}.{key}")
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            yield from _leaves(each, f"{path}[{index}]")
    else:
        yield path, value


def install(
    name: str,
    pinned: Chart,
    source: ChartSource | None,
    values: Mapping[str, Any] | None,
    opts: pulumi.ResourceOptions,
    release: str | None = None,
) -> kubernetes.helm.v3.Release:
    """Declares a release of a chart.

    Args:
        name: Pulumi name.
        pinned: The chart as it is pinned.
        source: What the user chose instead; None for nothing.
        values: Values of the chart, the user's among them; None leaves the chart's own.
        opts: Options of the child.
        release: Name of the release. Default: the chart's. A generated one could not adopt what an
            earlier installation left behind.
    """
    source = source or HelmChart()
    chart, version, repository = located(pinned, source)
    options = kubernetes.helm.v3.RepositoryOptsArgs(repo=repository) if repository else None
    has_empty_list = any(isinstance(leaf, list) for _, leaf in _leaves(values, ""))
    return kubernetes.helm.v3.Release(
        name,
        name=release or pinned.name,
        namespace=pinned.namespace,
        create_namespace=True,
        chart=chart,
        version=version,
        repository_opts=options,
        values=None if values is None else dict(values),
        # Without it, Pulumi drops empty lists: findings/pulumi-loses-null-and-empty-values.sh.
        allow_null_values=True if has_empty_list else None,
        timeout=source.timeout_seconds,
        # A failed first installation is removed instead of kept as a failed release.
        atomic=True,
        opts=opts,
    )


def located(pinned: Chart, source: ChartSource) -> tuple[str, str | None, str | None]:
    """Chart, version and repository, as Helm takes them."""
    chart, repository = source.chart or pinned.chart, source.repository
    version = source.version or pinned.version
    if source.chart is None and repository is None:
        repository = pinned.repository
        chart = chart.replace(pinned.version, version) if chart.endswith(".tgz") else chart
    elif source.chart is None:
        # The same chart in another repository goes by its bare name.
        chart = pinned.name
    return chart, None if chart.endswith(".tgz") else version, repository


def merged(base: dict[str, Any], over: Mapping[str, Any] | None) -> dict[str, Any]:
    """Two trees of Helm values, the second laid over the first; None changes nothing."""
    result = dict(base)
    for key, value in (over or {}).items():
        below = result.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            result[key] = merged(below, value)
        else:
            result[key] = value
    return result
