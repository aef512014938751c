"""Webhooks that listen on a port of this machine, where no Service has pods to send a call to."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from .. import binaries, charts
from ..kubernetes.client import Manifest
from ..private import write_private

KINDS: Final = frozenset({"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"})


class ServingCertificate(NamedTuple):
    """A certificate in files, as a webhook reads them."""

    folder: Path
    """Holds tls.crt, tls.key and ca.crt."""

    @property
    def bundle(self) -> str:
        """Authority that vouches for it, as a webhook's `caBundle` has it."""
        return base64.b64encode((self.folder / "tls.crt").read_bytes()).decode()


def certificate(folder: Path, service: str, namespace: str) -> ServingCertificate:
    """A certificate of a Service, made once: a stand-in for the one that cert-manager issues.

    Raises:
        Unavailable: Helm, whose functions make it, cannot be had.
    """
    if not (folder / "tls.key").exists():
        chart = binaries.TOOLS / "certificate"
        [pair] = charts.template(chart, {"host": f"{service}.{namespace}.svc"}, namespace)
        # It signs itself. The key comes last: whoever sees it finds the others too.
        for name, text in (
            ("ca.crt", "certificate"),
            ("tls.crt", "certificate"),
            ("tls.key", "key"),
        ):
            write_private(folder / name, pair[text])
    return ServingCertificate(folder)


def reachable(manifest: Manifest, ports: Mapping[str, int], bundle: str | None) -> dict[str, Any]:
    """Has the API server call each webhook at the port of this machine where it listens.

    A Service that is called stands for this machine from then on. The API server takes its name,
    and still wants a certificate of the Service.

    Args:
        manifest: An object of a release.
        ports: Port of this machine by the name of the Service that it is called by.
        bundle: Authority of the certificate; None where the webhook says it itself.
    """
    name = manifest["metadata"]["name"]
    if manifest["kind"] == "Service" and name in ports:
        return {**manifest, "spec": {"type": "ExternalName", "externalName": "localhost"}}
    if manifest["kind"] == "CustomResourceDefinition":
        return _converted(manifest, ports, bundle)
    if manifest["kind"] not in KINDS:
        return dict(manifest)
    webhooks = [
        {**webhook, "clientConfig": _config(webhook["clientConfig"], ports, bundle)}
        for webhook in manifest["webhooks"]
    ]
    return {**manifest, "webhooks": webhooks}


def _converted(
    definition: Manifest, ports: Mapping[str, int], bundle: str | None
) -> dict[str, Any]:
    conversion = definition["spec"].get("conversion") or {}
    if "webhook" not in conversion:
        return dict(definition)
    webhook = conversion["webhook"]
    config = _config(webhook["clientConfig"], ports, bundle)
    changed = {**conversion, "webhook": {**webhook, "clientConfig": config}}
    return {**definition, "spec": {**definition["spec"], "conversion": changed}}


def _config(config: Mapping[str, Any], ports: Mapping[str, int], bundle: str | None) -> Any:
    port = ports[config["service"]["name"]]
    authority = {"caBundle": bundle} if bundle else {}
    return {**config, "service": {**config["service"], "port": port}, **authority}
