"""The links of the way from a client to a model: its Ingress, its gateway, and walls between."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.crds.kserve_annotations import KSERVE_VISIBILITY
from plan.fit import matches
from plan.graph.gateways import GATEWAY_API, picker_of, pools_of, routes_to
from plan.objects import Manifest, items, kind_of, name_of, namespace_of, section, text_of
from plan.pods import label_to_find, labels_to_try

from .messages import text
from .model import Finding, Stage
from .pods import condition
from .trail import Trail, ended, gone, is_available, settling, words_of


def door(trail: Trail) -> Iterator[Finding]:
    """The way in: the address of its Ingress, and its certificate."""
    name = name_of(trail.planned)
    own = trail.others.get("networking.k8s.io", "Ingress", name, trail.namespace)
    is_hidden = own is None and KSERVE_VISIBILITY in section(trail.planned, "metadata", "labels")
    for ingress in trail.cluster.objects.by(_in_front_of, "networking.k8s.io", "Ingress").get(
        (trail.namespace, name), ()
    ):
        if is_hidden and section(ingress, "metadata").get("ownerReferences"):
            yield Finding(
                Stage.BROKEN,
                "door",
                f"Ingress {name_of(ingress)}",
                "is one that KServe made before, and leads past the keys and limits of the gateway",
                "delete it: KServe takes none away of a model that is cluster-local",
            )
        elif not items(section(ingress, "status", "loadBalancer"), "ingress"):
            yield Finding(
                settling(trail, ingress),
                "door",
                f"Ingress {name_of(ingress)}",
                "has no address: no controller has taken it, class "
                f"{section(ingress, 'spec').get('ingressClassName') or 'none'}",
                "install a controller for this class, and look at its Service",
                "ingresses_have_a_controller",
            )
    for certificate in _certificates(trail):
        entry = condition(certificate, "Ready")
        if entry.get("status") != "True":
            issues = condition(certificate, "Issuing").get("status") == "True"
            failures = section(certificate, "status").get("failedIssuanceAttempts")
            state = Stage.COMING
            if entry.get("status") == "False":
                state = settling(trail, certificate) if issues and not failures else Stage.BROKEN
            remedy = "look at its CertificateRequest and its Issuer"
            if failures and not issues:
                # findings/cert-manager-waits-for-hours.sh
                hours = min(2 ** (int(failures) - 1), 32)
                about = f"-n {namespace_of(certificate)} {name_of(certificate)}"
                remedy += (
                    f"; once that is mended, cmctl renew {about}: it failed {failures} times, and "
                    f"cert-manager waits {hours} h after the last one, whatever was mended"
                )
            yield Finding(
                state,
                "door",
                f"Certificate {name_of(certificate)}",
                f"is not ready: {text(entry.get('message')) or 'nothing is said yet'}",
                remedy,
            )


def gateway(trail: Trail) -> Iterator[Finding]:
    """The way by a gateway: it answers, its route leads, its pool has a picker that works."""
    for pool in pools_of(trail.others, trail.template):
        yield from _pool(trail, pool)
        picker = trail.others.get("apps", "Deployment", picker_of(pool), trail.namespace)
        if picker is not None:
            yield from _picker(trail, picker)
        name = f"{name_of(pool)}-picked"
        behind = trail.others.get(GATEWAY_API, "HTTPRoute", name, trail.namespace)
        routes = [*routes_to(trail.others, pool), *([behind] if behind else [])]
        parents = [parent for route in routes for parent in items(route["spec"], "parentRefs")]
        spaces = {
            str(parent.get("name")): str(parent.get("namespace") or trail.namespace)
            for parent in parents
        }
        for name, space in spaces.items():
            yield from _gateway(trail, name, space)
        for route in routes:
            yield from _route(trail, name_of(route))


def _gateway(trail: Trail, name: str, space: str) -> Iterator[Finding]:
    if not trail.cluster.sees(GATEWAY_API, "Gateway", space):
        return
    live = trail.cluster.objects.get(GATEWAY_API, "Gateway", name, space)
    if live is None:
        yield gone(trail, "gateway", GATEWAY_API, "Gateway", name)
    elif condition(live, "Programmed").get("status") != "True":
        refused = condition(live, "Accepted").get("status") == "False"
        says = text(condition(live, "Accepted" if refused else "Programmed").get("message"))
        why = says or "no controller of its GatewayClass has taken it"
        remedy = "look at its GatewayClass, at the controller's pods, and at its load balancer"
        yield _unsettled(trail, live, f"does not answer: {why}", remedy)


def _route(trail: Trail, name: str) -> Iterator[Finding]:
    if not trail.sees(GATEWAY_API, "HTTPRoute"):
        return
    live = trail.find(GATEWAY_API, "HTTPRoute", name)
    if live is None:
        yield gone(trail, "gateway", GATEWAY_API, "HTTPRoute", name)
        return
    parents = items(section(live, "status"), "parents")
    if not parents:
        why = "no gateway has taken it"
        yield _unsettled(trail, live, why, "look at the listeners of its Gateway")
    for parent in parents:
        yield from _conditions(trail, live, parent, "do as the message says")


def _pool(trail: Trail, pool: Manifest) -> Iterator[Finding]:
    group, _ = kind_of(pool)
    if not trail.sees(group, "InferencePool"):
        return
    live = trail.find(group, "InferencePool", name_of(pool))
    if live is None:
        yield gone(trail, "gateway", group, "InferencePool", name_of(pool))
        return
    parents = items(section(live, "status"), "parents")
    controllers = {text_of(parent, "controllerName") for parent in parents} - {""}
    if len(controllers) > 1:
        why = f"has two controllers: {' and '.join(sorted(controllers))}"
        remedy = "have one of them manage it: each brings a picker of its own"
        yield Finding(Stage.BROKEN, "gateway", f"InferencePool {name_of(live)}", why, remedy)
    for parent in parents:
        yield from _conditions(trail, live, parent, "look at the Service of its picker")


def _conditions(
    trail: Trail, live: Manifest, parent: Mapping[str, Any], remedy: str
) -> Iterator[Finding]:
    """What a Gateway says of what refers to it, where it does not take it."""
    for entry in items(parent, "conditions"):
        if entry.get("type") in ("Accepted", "ResolvedRefs") and entry.get("status") == "False":
            of = section(parent, "parentRef").get("name")
            says = words_of(entry)
            yield _unsettled(trail, live, f"is not taken by Gateway {of}: {says}", remedy)


def _picker(trail: Trail, planned: Manifest) -> Iterator[Finding]:
    name = name_of(planned)
    if not trail.sees("apps", "Deployment"):
        return
    live = trail.find("apps", "Deployment", name)
    if live is None:
        yield gone(trail, "gateway", "apps", "Deployment", name)
    elif not is_available(live):
        why = "has no pod that works: no request passes the gateway"
        remedy = f"kubectl --namespace {trail.namespace} describe deployment {name}"
        yield _unsettled(trail, live, why, f"look at its pods: `{remedy}`")


def _unsettled(trail: Trail, live: Manifest, why: str, remedy: str) -> Finding:
    subject = f"{live['kind']} {name_of(live)}"
    return Finding(settling(trail, live), "gateway", subject, why, remedy)


def walls(trail: Trail) -> Iterator[Finding]:
    """NetworkPolicies by which nobody reaches its pods, though these are ready.

    Whom a policy lets in is not worked out: one rule of any of them, and nothing is said.
    """
    pods = [pod for pod in trail.pods if not ended(pod)]
    if trail.key[1] == "Job" or not pods:
        return
    labels = section(pods[0], "metadata", "labels")
    index = trail.cluster.objects.by(_walled, "networking.k8s.io", "NetworkPolicy")
    likely = [p for key in labels_to_try(labels) for p in index.get((trail.namespace, key), ())]
    policies = [
        policy
        for policy in likely
        if matches(section(policy, "spec", "podSelector"), labels)
        and "Ingress" in (section(policy, "spec").get("policyTypes") or ["Ingress"])
    ]
    if policies and not any(items(section(policy, "spec"), "ingress") for policy in policies):
        names = ", ".join(map(name_of, policies))
        remedy = "take it away, or let in whoever asks and scales: `kubectl describe networkpolicy`"
        yield Finding(
            Stage.BROKEN, "door", f"NetworkPolicy {names}", "lets nobody reach its pods", remedy
        )


def _walled(policy: Manifest) -> tuple[str, str]:
    selector = section(policy, "spec", "podSelector", "matchLabels")
    return namespace_of(policy), label_to_find(selector)


def _certificates(trail: Trail) -> Sequence[Manifest]:
    """Certificates of its hosts, each once."""
    by_host = trail.cluster.certificates
    certificates = [entry for host in sorted(_hosts(trail)) for entry in by_host.get(host, ())]
    return [*{namespace_of(c) + "/" + name_of(c): c for c in certificates}.values()]


def _in_front_of(ingress: Manifest) -> tuple[str, str]:
    for owner in section(ingress, "metadata").get("ownerReferences") or ():
        return namespace_of(ingress), str(owner.get("name"))
    return namespace_of(ingress), name_of(ingress)


def _hosts(trail: Trail) -> set[str]:
    """Hosts at which a model answers, as its object says, or its Ingress does."""
    url = text_of(section(trail.live, "status"), "url")
    hosts = {url.partition("://")[2].partition("/")[0].partition(":")[0]}
    ingresses = trail.cluster.objects.by(_in_front_of, "networking.k8s.io", "Ingress")
    for ingress in ingresses.get((trail.namespace, name_of(trail.planned)), ()):
        hosts |= {str(rule.get("host")) for rule in items(section(ingress, "spec"), "rules")}
    return hosts - {"", "None"}
