"""Rules over who reaches what: load balancers, Ingresses and NetworkPolicies."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from components.args import MISSING, Fault, Words
from plan.cost import addons
from plan.model import UNKNOWN, Plan, Resource
from plan.objects import Manifest, items, kind_of, namespace_of, section, text_of, texts_of
from plan.pods import pods_in

from .model import Finding, Settings

# https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/add-annotations-to-the-yaml-file-of-a-service-to-configure-clb-instances
# (2026-03-26): both prefixes are read, and a Service gets a public address unless told otherwise.
_BALANCER: Final = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer"
_OLD_BALANCER: Final = "service.beta.kubernetes.io/alicloud-loadbalancer"
_ANYWHERE: Final = ("0.0.0.0/0", "::/0")

_NGINX_ADDON: Final = "nginx-ingress-controller"
_ALB_ADDON: Final = "alb-ingress-controller"
_ALLOWED: Final = "nginx.ingress.kubernetes.io/whitelist-source-range"
_LISTENERS: Final = "alb.ingress.kubernetes.io/listen-ports"
_PROXIES: Final = ("gateway.envoyproxy.io", "EnvoyProxy")
_GATEWAY: Final = ("gateway.networking.k8s.io", "Gateway")
_SERVES: Final = (
    ("networking.k8s.io", "Ingress"),
    ("serving.kserve.io", "InferenceService"),
)
"""Kinds that a controller of Ingresses lets clients in to; KServe hands its annotations on."""


def open_services(plan: Plan, _: Settings) -> Iterator[Finding]:
    """Load balancers with a public address that let everybody in."""
    for resource, manifest in _objects(plan):
        spec = section(manifest, "spec")
        if kind_of(manifest) != ("", "Service") or spec.get("type") != "LoadBalancer":
            continue
        notes = section(manifest, "metadata", "annotations")
        address = _note(notes, "address-type")
        if address in ("intranet", UNKNOWN) or _note(notes, "id") is not None:
            continue  # One that exists already has the address that its owner gave it.
        ranges = texts_of(spec, "loadBalancerSourceRanges")
        listed = _note(notes, "acl-status") == "on" and _note(notes, "acl-type") == "white"
        if not listed and (not ranges or set(_ANYWHERE) & set(ranges)):
            field = f"metadata.annotations[{_BALANCER}-address-type]"
            want = "'intranet', or the addresses given in spec.loadBalancerSourceRanges"
            why = "the whole internet reaches what is behind it"
            yield resource, Fault(field, address or MISSING, want, why)


def _note(notes: Mapping[str, Any], setting: str) -> Any:
    """What an annotation says of a load balancer, by either prefix."""
    return notes.get(f"{_BALANCER}-{setting}", notes.get(f"{_OLD_BALANCER}-{setting}"))


def public_ingresses(plan: Plan, _: Settings) -> Iterator[Finding]:
    """Ingress controllers of ACK with a public address, behind which no list says who gets in."""
    unlisted = [
        f"{manifest['kind']} {resource.name}"
        for resource, manifest in _objects(plan)
        if kind_of(manifest) in _SERVES
        and not section(manifest, "metadata", "annotations").get(_ALLOWED)
    ]
    for resource, name, config in addons(plan):
        alb = section(config, "albIngress")
        if name == _NGINX_ADDON:
            field, got, private = "IngressSlbNetworkType", config, "intranet"
        elif name == _ALB_ADDON and alb.get("CreateDefaultALBConfig") is True:
            field, got, private = "AddressType", alb, "Intranet"
        else:
            continue
        if text_of(got, field) != private and (unlisted or name == _ALB_ADDON):
            behind = " and ".join(unlisted[:2]) or "each Ingress"
            want = f"{private!r}, or each Ingress with its allow list"
            why = f"the whole internet reaches {behind}"
            yield resource, Fault(f"config.{field}", got.get(field, MISSING), want, why)


def plain_gateways(plan: Plan, _: Settings) -> Iterator[Finding]:
    """Gateways that clients ask without TLS, without a key or without limits."""
    objects = [manifest for _, manifest in _objects(plan)]
    inside = {
        text_of(section(manifest, "metadata"), "name")
        for manifest in objects
        if kind_of(manifest) == _PROXIES
        and section(manifest, "spec", "provider", "kubernetes", "envoyService").get("type")
        == "ClusterIP"
    }
    policies = [manifest for manifest in objects if kind_of(manifest)[0] == _PROXIES[0]]
    limited = any(section(policy, "spec").get("rateLimit") for policy in policies)
    keys = {
        text_of(target, "name")
        for policy in policies
        if kind_of(policy)[1] == "SecurityPolicy"
        for target in items(section(policy, "spec"), "targetRefs")
    }
    for resource, manifest in _objects(plan):
        proxies = section(manifest, "spec", "infrastructure", "parametersRef")
        if kind_of(manifest) != _GATEWAY or text_of(proxies, "name") in inside:
            continue
        for number, listener in enumerate(items(section(manifest, "spec"), "listeners")):
            if listener.get("protocol") == "HTTP":
                why = "prompts, answers and keys pass by in the open"
                field = f"spec.listeners[{number}].protocol"
                yield resource, Fault(field, "HTTP", "'HTTPS', with a certificate", why)
        name = text_of(section(manifest, "metadata"), "name")
        if name not in keys:
            want = "the target of a SecurityPolicy that asks for keys"
            yield resource, Fault("metadata.name", name, want, "whoever reaches it uses the models")
        if not limited:
            want = "a gateway whose routes have a BackendTrafficPolicy with a rateLimit"
            why = "one client can take all cards for itself"
            yield resource, Fault("metadata.name", name, want, why)


def plain_hosts(plan: Plan, _: Settings) -> Iterator[Finding]:
    """Hosts that clients ask without TLS."""
    want = "given, with the Secret of a certificate"
    why = "prompts, answers and keys pass by in the open"
    for resource, manifest in _objects(plan):
        spec = section(manifest, "spec")
        if kind_of(manifest) == ("serving.knative.dev", "DomainMapping") and not spec.get("tls"):
            yield resource, Fault("spec.tls", MISSING, want, why)
        elif kind_of(manifest) == ("networking.k8s.io", "Ingress"):
            notes = section(manifest, "metadata", "annotations")
            hosts = [text_of(rule, "host") for rule in items(spec, "rules")] or [""]
            plain = [host for host in hosts if not _is_covered(host, spec)]
            if plain and "HTTPS" not in str(notes.get(_LISTENERS, "")):
                got = Words(f"without {plain[0]}") if spec.get("tls") else MISSING
                yield resource, Fault("spec.tls", got, want, why)


def _is_covered(host: str, spec: Mapping[str, Any]) -> bool:
    """Whether a certificate of an Ingress is for a host; one without hosts is for all."""
    return any(
        not (names := texts_of(entry, "hosts"))
        or any(fnmatchcase(host, name) or name == UNKNOWN for name in names)
        for entry in items(spec, "tls")
    )


def open_policies(plan: Plan, _: Settings) -> Iterator[Finding]:
    """NetworkPolicies that let everybody in."""
    for resource, spec in _policies(plan):
        if "Ingress" not in (texts_of(spec, "policyTypes") or ("Ingress",)):
            continue
        for number, rule in enumerate(items(spec, "ingress")):
            field = f"spec.ingress[{number}].from"
            sources = items(rule, "from")
            everybody = [source for source in sources if _is_everybody(source)]
            if not sources and not isinstance(rule.get("from"), str):
                got: object = MISSING
            elif everybody:
                got = Words("everybody")
            else:
                continue
            want = "the namespaces, pods and addresses that are let in"
            yield resource, Fault(field, got, want, "the policy then keeps nobody out")


def _is_everybody(source: Mapping[str, Any]) -> bool:
    """Whether a peer is every address, or every pod of the cluster."""
    block = section(source, "ipBlock")
    if block:
        return block.get("cidr") in _ANYWHERE and not block.get("except")
    spaces = source.get("namespaceSelector")
    return spaces == {} and not section(source, "podSelector")


def idle_policies(plan: Plan, _: Settings) -> Iterator[Finding]:
    """NetworkPolicies that select no pod of the stack, and so keep nobody out."""
    pods = [pods for group in pods_in(plan).values() for pods in group]
    for resource, spec in _policies(plan):
        space = namespace_of(resource.inputs)
        wanted = section(spec, "podSelector", "matchLabels")
        if wanted and not any(
            each.namespace == space and wanted.items() <= each.labels.items() for each in pods
        ):
            field = "spec.podSelector.matchLabels"
            got = Words(f"of no pods of the stack in {space}")
            want = "labels that pods there have"
            yield resource, Fault(field, got, want, "pods that no policy selects let everybody in")


def _policies(plan: Plan) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
    for resource, manifest in _objects(plan):
        if kind_of(manifest) == ("networking.k8s.io", "NetworkPolicy"):
            yield resource, section(manifest, "spec")


def _objects(plan: Plan) -> Iterator[tuple[Resource, Manifest]]:
    for resource in plan.resources:
        if (manifest := resource.manifest) is not None:
            yield resource, manifest
