"""How the nodes of a pool are upgraded, patched and repaired: batch by batch, by ACK itself.

What ACK is asked to do, as terraform-provider-alicloud does it: read at commit 81c43b6 of
2026-08-21, `alicloud/resource_alicloud_cs_kubernetes_node_pool.go` and the page of the resource.
Every update of a pool that has an `upgrade_policy` upgrades its nodes once more, whatever else is
changed; the pool's own image and runtime have to be those of the policy; and the update waits
until the last batch is done, 60 minutes at most.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from pydantic import Field

from ..args import MISSING, Args, Fault
from ..versions import ack_version_faults

UPDATE_MINUTES: Final = 60
"""How long an update of a pool may take before `pulumi up` gives up on it."""
MOST_AT_ONCE: Final = 10
"""Most nodes that ACK rolls at once: ModifyNodePoolNodeConfig, `rolling_policy.max_parallelism`,
page of 2026-06-29. That of UpgradeClusterNodepool names no range."""
_RUNTIME: Final = "containerd"


class PausePolicy(StrEnum):
    """When an upgrade of nodes waits for a person, who goes on with it in ACK's console."""

    FIRST_BATCH = "FirstBatch"
    """After the first batch."""
    EVERY_BATCH = "EveryBatch"
    """After each batch."""
    NOT_PAUSE = "NotPause"
    """Never."""


class RollingPolicy(Args):
    """How nodes of a pool are rolled: how many at once, and what is between the batches."""

    max_parallelism: int = Field(default=1, ge=1)
    """Nodes that are rolled at once, at the most."""
    pause_policy: PausePolicy = PausePolicy.NOT_PAUSE
    """After which batch it waits for a person; `pulumi up` waits as long, 60 minutes at most."""
    batch_interval_minutes: int | None = Field(default=None, ge=0)
    """Time between two batches in minutes, with `NotPause`. Default: none."""

    def _faults(self) -> Iterator[Fault]:
        if (
            self.batch_interval_minutes is not None
            and self.pause_policy is not PausePolicy.NOT_PAUSE
        ):
            want = f"left out, or pause_policy {PausePolicy.NOT_PAUSE.value}"
            why = f"with pause_policy {self.pause_policy.value} a person says when the next begins"
            yield Fault("batch_interval_minutes", self.batch_interval_minutes, want, why)


class NodeUpgrade(Args):
    """An upgrade of the nodes that a pool has now: it is done once, and then taken out again.

    While it stands there, every further change of the pool upgrades its nodes once more.
    """

    kubernetes_version: str | None = Field(default=None, examples=["1.35.1-aliyun.1"])
    """Version of the kubelet, no newer than that of the control plane. Default: as it is."""
    image_id: str | None = Field(default=None, min_length=1)
    """ID of the image of the operating system, which new nodes get too. Default: as it is."""
    runtime_version: str | None = Field(default=None, min_length=1, examples=["1.6.39"])
    """Version of containerd, which new nodes get too. Default: as it is."""
    use_replace: bool = False
    """Whether the system disk of each node is replaced by a new one, with the settings of the pool
    as they are now; what is on it is lost."""
    node_names: list[str] | None = Field(default=None, min_length=1)
    """Nodes that are upgraded. Default: all of the pool."""

    def _faults(self) -> Iterator[Fault]:
        yield from ack_version_faults("kubernetes_version", self.kubernetes_version)
        if not (self.kubernetes_version or self.image_id or self.runtime_version):
            want = "given, or image_id or runtime_version"
            yield Fault("kubernetes_version", MISSING, want, "nothing would be upgraded")


class VulnerabilityLevel(StrEnum):
    """How urgent the fix of a vulnerability is, as Security Center says it."""

    HIGH = "asap"
    """High."""
    MEDIUM = "later"
    """Medium."""
    LOW = "nntf"
    """Low."""


class VulnerabilityFix(Args):
    """Which vulnerabilities ACK patches by itself; needs Security Center's Ultimate edition."""

    levels: list[VulnerabilityLevel] = Field(default=[VulnerabilityLevel.HIGH], min_length=1)
    """Levels that are patched."""
    restart_nodes: bool = False
    """Whether nodes are restarted for it, and so drained."""


def management_faults(
    auto_repair: bool, auto_upgrade: bool, restart: bool | None, kubelet: bool | None
) -> Iterator[Fault]:
    """Finds settings of what is turned off.

    Args:
        auto_repair: Whether ACK repairs nodes.
        auto_upgrade: Whether ACK upgrades nodes.
        restart: Whether nodes are restarted to repair them; None where nobody says so.
        kubelet: Whether the kubelet is upgraded; None where nobody says so.
    """
    for field, value, switch, on in (
        ("auto_repair_restart", restart, "auto_repair", auto_repair),
        ("auto_upgrade_kubelet", kubelet, "auto_upgrade", auto_upgrade),
    ):
        if value is not None and not on:
            yield Fault(field, value, f"left out, or {switch} true", f"{switch} is false")


def render_rolling(
    rolling: RollingPolicy | None, upgrade: NodeUpgrade | None
) -> Mapping[str, Any] | None:
    """Renders how nodes are rolled, and which, as the provider takes it."""
    names = upgrade.node_names if upgrade else None
    if rolling is None:
        return {"node_names": names} if names else None
    pause = rolling.batch_interval_minutes
    return {
        "max_parallelism": rolling.max_parallelism,
        "pause_policy": rolling.pause_policy,
        **({} if pause is None else {"batch_interval": str(pause)}),
        **({"node_names": names} if names else {}),
    }


def render_upgrade(upgrade: NodeUpgrade | None) -> dict[str, Any]:
    """Renders an upgrade, and what the pool itself has to say of image and runtime for it."""
    if upgrade is None:
        return {}
    image = {"image_id": upgrade.image_id} if upgrade.image_id else {}
    version = {"runtime_version": upgrade.runtime_version} if upgrade.runtime_version else {}
    kubelet = upgrade.kubernetes_version
    return {
        **image,
        **({"runtime_name": _RUNTIME, **version} if version else {}),
        "upgrade_policy": {
            **({"kubernetes_version": kubelet} if kubelet else {}),
            **image,
            **({"runtime": _RUNTIME, **version} if version else {}),
            "use_replace": upgrade.use_replace,
        },
    }


def render_vulnerability_fix(fix: VulnerabilityFix | None) -> dict[str, Any]:
    """Renders what ACK patches by itself; nothing where nobody says so."""
    if fix is None:
        return {}
    levels = ",".join(dict.fromkeys(fix.levels))
    return {
        "auto_vul_fix": True,
        "auto_vul_fix_policy": {"vul_level": levels, "restart_node": fix.restart_nodes},
    }
