"""Small stacks for the rules over objects: who reaches them, what they hold, what they may use.

`REFUSED` and `ACCEPTED` have the cases of all rules, those of `cases.py` among them.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from components.catalog.labels import GPU_RESOURCE
from plan.model import SECRET, UNKNOWN, Resource

from . import cases
from .cases import (
    CLUSTER,
    ENCRYPTED,
    GPU,
    IMAGE,
    PLACED,
    POOL,
    PRIVATE,
    Case,
    config_map,
    deployment,
    manifest,
    resource,
)

ADDON: Final = "alicloud:cs/kubernetesAddon:KubernetesAddon"
BALANCER: Final = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer"
ALLOWED: Final = "nginx.ingress.kubernetes.io/whitelist-source-range"
TOKEN: Final = "hf_CANARYcanaryCANARYcanary"  # noqa: S105  no key of anybody
POD: Final = "spec.template.spec"


def load_balancer(annotations: Mapping[str, Any] | None = None, **spec: Any) -> Resource:
    body = {
        "metadata": {"annotations": annotations or {}},
        "spec": {"type": "LoadBalancer", **spec},
    }
    return manifest("v1", "Service", body)


def addon(name: str, **config: Any) -> Resource:
    return resource(ADDON, {"name": name, "config": json.dumps(config)}, "ingress-addon")


def ingress(annotations: Mapping[str, Any] | None = None, **spec: Any) -> Resource:
    rules = [{"host": "chat.example.org"}]
    body = {"metadata": {"annotations": annotations or {}}, "spec": {"rules": rules, **spec}}
    return manifest("networking.k8s.io/v1", "Ingress", body, "qwen")


def proxies(type_: str) -> Resource:
    body = {"spec": {"provider": {"kubernetes": {"envoyService": {"type": type_}}}}}
    return manifest("gateway.envoyproxy.io/v1alpha1", "EnvoyProxy", body)


def gateway(protocol: str = "HTTP") -> Resource:
    reference = {"kind": "EnvoyProxy", "name": "one"}
    spec = {
        "infrastructure": {"parametersRef": reference},
        "listeners": [{"name": "door", "protocol": protocol, "port": 80}],
    }
    return manifest("gateway.networking.k8s.io/v1", "Gateway", {"spec": spec})


def asked(kind: str, **spec: Any) -> Resource:
    """A policy of Envoy Gateway about the Gateway."""
    about = {"targetRefs": [{"kind": "Gateway", "name": "one"}]}
    return manifest("gateway.envoyproxy.io/v1alpha1", kind, {"spec": {**about, **spec}}, kind)


def moderation(key: Any, secret: Any) -> Resource:
    keys = {"accessKey": key, "secretKey": secret}
    return manifest(
        "inferenceextension.alibabacloud.com/v1alpha1",
        "ACKTrafficFilter",
        {"spec": {"aiContentSecurity": keys}},
    )


def network_policy(**spec: Any) -> Resource:
    return manifest("networking.k8s.io/v1", "NetworkPolicy", {"spec": {"podSelector": {}, **spec}})


def quota(**hard: Any) -> Resource:
    return manifest("v1", "ResourceQuota", {"spec": {"hard": hard}}, "quota")


def tree(least: str, most: str) -> Resource:
    team = {"name": "team-a", "namespaces": ["models"], "min": {"cpu": least}, "max": {"cpu": most}}
    capacity = {"cpu": "999900"}
    root = {"name": "root", "min": capacity, "max": capacity, "children": [team]}
    return manifest("scheduling.sigs.k8s.io/v1beta1", "ElasticQuotaTree", {"spec": {"root": root}})


def budget(label: str = "app", **spec: Any) -> Resource:
    selector = {"matchLabels": {label: "qwen"}}
    body = {"spec": {"selector": selector, **spec}}
    return manifest("policy/v1", "PodDisruptionBudget", body, "budget")


def scaled(most: int) -> Resource:
    target = {"kind": "Deployment", "name": "one"}
    body = {"spec": {"scaleTargetRef": target, "maxReplicas": most}}
    return manifest("autoscaling/v2", "HorizontalPodAutoscaler", body, "hpa")


def knative(most: str) -> Resource:
    notes = {"autoscaling.knative.dev/max-scale": most}
    about = {"labels": {"app": "qwen"}, "annotations": notes}
    template = {"metadata": about, "spec": {"containers": [{"name": "server", "image": IMAGE}]}}
    return manifest("serving.knative.dev/v1", "Service", {"spec": {"template": template}})


def predictor(most: int) -> Resource:
    spec = {"maxReplicas": most, "containers": [{"name": "server", "image": IMAGE}]}
    body = {"spec": {"predictor": {"labels": {"model": "qwen"}, **spec}}}
    return manifest("serving.kserve.io/v1beta1", "InferenceService", body)


def fetched(uri: str) -> Resource:
    body = {"spec": {"predictor": {"model": {"modelFormat": {"name": "vllm"}, "storageUri": uri}}}}
    return manifest("serving.kserve.io/v1beta1", "InferenceService", body)


def imported(**settings: Any) -> Resource:
    source = {"kind": "huggingface", "name": "acme/qwen", "revision": "v1.0.0", **settings}
    variable = {"name": "IMPORT", "value": json.dumps(source)}
    container = {"name": "import", "image": IMAGE, "env": [variable]}
    template = {"spec": {"containers": [container]}}
    return manifest("batch/v1", "Job", {"spec": {"template": template}})


def init(container: Mapping[str, Any]) -> Resource:
    return deployment({}, initContainers=[{"name": "prepare", "image": IMAGE, **container}])


def role(kind: str, **body: Any) -> Resource:
    return manifest("rbac.authorization.k8s.io/v1", kind, body)


_NODE: Final = "whoever gets into the container has the node, and all pods on it."
_ROOT: Final = "what gets out of the container is root on the node."
_PLAIN: Final = (
    "is a secret in plain, but it must be in a Secret, which secretKeyRef or a volume names: "
    "whoever may read the object can use it."
)
_REACHED: Final = (
    "but it must be 'intranet', or the addresses given in spec.loadBalancerSourceRanges: the whole "
    "internet reaches what is behind it."
)
_OPEN_TO: Final = (
    "but it must be the namespaces, pods and addresses that are let in: the policy then keeps "
    "nobody out."
)
_PROMPTS: Final = (
    "but it must be given, with the Secret of a certificate: prompts, answers and keys pass by in "
    "the open."
)
_STUCK: Final = "no node with one of the pods is drained, upgraded or scaled in."
_FEWER: Final = f"but it must be fewer than there are replicas at the most: {_STUCK}"
_MOVES: Final = (
    "but it must be a commit, a digest or the tag of a release: what it stands for changes, and "
    "pods that start later serve another model."
)
_BEYOND: Final = "some of AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, IPC_LOCK, KILL, MKNOD, "

REFUSED: Final = [
    *cases.REFUSED,
    Case(
        "a data disk without the key of the pool",
        "encrypted-disks",
        [
            resource(
                POOL, {**ENCRYPTED, "systemDiskKmsKey": "key-a", "dataDisks": [{"encrypted": True}]}
            )
        ],
        [
            "NodePool one: dataDisks[0].kmsKeyId is missing, but it must be given, as "
            "systemDiskKmsKey is: whoever takes the pool's key away leaves this disk readable by "
            "ECS's own."
        ],
    ),
    Case(
        "a token in the environment of a container that prepares",
        "no-plain-secret",
        [init({"env": [{"name": "HF_TOKEN", "value": TOKEN}]})],
        [f"Deployment one: {POD}.initContainers[prepare].env[HF_TOKEN].value {_PLAIN}"],
    ),
    Case(
        "a password in the environment of a sidecar, be it a secret of Pulumi",
        "no-plain-secret",
        [
            deployment(
                {},
                initContainers=[
                    {
                        "name": "proxy",
                        "image": IMAGE,
                        "restartPolicy": "Always",
                        "env": [{"name": "DB_PASSWORD", "value": SECRET}],
                    }
                ],
            )
        ],
        [f"Deployment one: {POD}.initContainers[proxy].env[DB_PASSWORD].value {_PLAIN}"],
    ),
    Case(
        "a key on the command line, and one in a program",
        "no-plain-secret",
        [
            deployment(
                {
                    "command": ["python3", "-c", f"import os\nimport sys\nkey = '{TOKEN}'\n"],
                    "args": ["--api-key", "canary-of-a-key"],
                }
            )
        ],
        [
            f"Deployment one: {POD}.containers[server].command[2] {_PLAIN}",
            f"Deployment one: {POD}.containers[server].args[1] {_PLAIN}",
        ],
    ),
    Case(
        "a token in a ConfigMap, by its name and by its form",
        "no-plain-secret",
        [config_map(API_TOKEN="canary-of-a-token", settings=f"[hub]\nuse = {TOKEN}\n")],  # noqa: S106
        [f"ConfigMap one: data.{key} {_PLAIN}" for key in ("API_TOKEN", "settings")],
    ),
    Case(
        "pods in the namespaces and the files of their node",
        "no-node-access",
        [
            deployment(
                {},
                hostNetwork=True,
                hostPID=True,
                hostIPC=True,
                volumes=[{"name": "root", "hostPath": {"path": "/"}}],
            )
        ],
        [
            *(
                f"Deployment one: {POD}.{field} is True, but it must be left out: {_NODE}"
                for field in ("hostNetwork", "hostPID", "hostIPC")
            ),
            f"Deployment one: {POD}.volumes[root].hostPath is given, but it must be left out, and "
            f"another kind of volume: {_NODE}",
        ],
    ),
    Case(
        "a container that prepares, with all rights",
        "no-node-access",
        [
            init(
                {
                    "securityContext": {
                        "privileged": True,
                        "procMount": "Unmasked",
                        "capabilities": {"add": ["SYS_ADMIN", "CHOWN"]},
                    },
                    "ports": [{"name": "http", "containerPort": 80, "hostPort": 80}],
                }
            )
        ],
        [
            f"Deployment one: {POD}.initContainers[prepare].{rest} {_NODE}"
            for rest in (
                "securityContext.privileged is True, but it must be left out:",
                "securityContext.procMount is 'Unmasked', but it must be left out:",
                f"securityContext.capabilities.add is ['SYS_ADMIN'], but it must be {_BEYOND}"
                "NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT:",
                "ports[http].hostPort is 80, but it must be left out:",
            )
        ],
    ),
    Case(
        "pods that are told to run as root, and a container that may become it",
        "no-root",
        [
            deployment(
                {"securityContext": {"allowPrivilegeEscalation": True}},
                securityContext={"runAsUser": 0},
            )
        ],
        [
            f"Deployment one: {POD}.securityContext.runAsUser is 0, but it must be left out, or "
            f"another user: {_ROOT}",
            f"Deployment one: {POD}.containers[server].securityContext.allowPrivilegeEscalation is "
            f"True, but it must be False: {_ROOT}",
        ],
    ),
    Case(
        "a role that grants everything",
        "no-open-role",
        [role("Role", rules=[{"apiGroups": [""], "resources": ["*"], "verbs": ["get", "*"]}])],
        [
            f"Role one: rules[0].{field} is '*', but it must be the {field} that are needed: "
            "whoever has the role reads every Secret, or does anything to what it has."
            for field in ("verbs", "resources")
        ],
    ),
    Case(
        "a binding of cluster-admin to everybody",
        "no-open-role",
        [
            role(
                "RoleBinding",
                roleRef={"name": "cluster-admin"},
                subjects=[{"kind": "Group", "name": "system:authenticated"}],
            )
        ],
        [
            "RoleBinding one: roleRef.name is 'cluster-admin', but it must be a role of its "
            "own: cluster-admin may do everything.",
            "RoleBinding one: subjects[0].name is 'system:authenticated', but it must be "
            "who needs it: everybody would have the role.",
        ],
    ),
    Case(
        "a load balancer with the address that ACK gives",
        "no-open-service",
        [load_balancer()],
        [f"Service one: metadata.annotations[{BALANCER}-address-type] is missing, {_REACHED}"],
    ),
    Case(
        "a load balancer of the internet that lets everybody in",
        "no-open-service",
        [
            load_balancer(
                {f"{BALANCER}-address-type": "internet"}, loadBalancerSourceRanges=["0.0.0.0/0"]
            )
        ],
        [f"Service one: metadata.annotations[{BALANCER}-address-type] is 'internet', {_REACHED}"],
    ),
    Case(
        "a public controller before an Ingress without an allow list",
        "no-public-ingress",
        [addon("nginx-ingress-controller"), ingress(tls=[{"secretName": "chat"}])],
        [
            "KubernetesAddon ingress-addon: config.IngressSlbNetworkType is missing, but it must "
            "be 'intranet', or each Ingress with its allow list: the whole internet reaches "
            "Ingress qwen."
        ],
    ),
    Case(
        "a public controller among the add-ons of a cluster, before a model of KServe",
        "no-public-ingress",
        [
            resource(
                CLUSTER,
                {
                    **PRIVATE,
                    "addons": [
                        {
                            "name": "nginx-ingress-controller",
                            "config": '{"IngressSlbNetworkType": "internet"}',
                        }
                    ],
                },
            ),
            predictor(1),
        ],
        [
            "ManagedKubernetes one: config.IngressSlbNetworkType is 'internet', but it must be "
            "'intranet', or each Ingress with its allow list: the whole internet reaches "
            "InferenceService one."
        ],
    ),
    Case(
        "a public ALB, whose Ingresses have no allow list",
        "no-public-ingress",
        [
            addon(
                "alb-ingress-controller",
                albIngress={"CreateDefaultALBConfig": True, "AddressType": "Internet"},
            )
        ],
        [
            "KubernetesAddon ingress-addon: config.AddressType is 'Internet', but it must be "
            "'Intranet', or each Ingress with its allow list: the whole internet reaches each "
            "Ingress."
        ],
    ),
    Case(
        "an Ingress without TLS",
        "tls-hosts",
        [ingress()],
        [f"Ingress qwen: spec.tls is missing, {_PROMPTS}"],
    ),
    Case(
        "an Ingress with the certificate of another host",
        "tls-hosts",
        [ingress(tls=[{"hosts": ["*.example.com"], "secretName": "other"}])],
        [f"Ingress qwen: spec.tls is without chat.example.org, {_PROMPTS}"],
    ),
    Case(
        "a host of Knative without TLS",
        "tls-hosts",
        [manifest("serving.knative.dev/v1beta1", "DomainMapping", {"spec": {"ref": {}}})],
        [f"DomainMapping one: spec.tls is missing, {_PROMPTS}"],
    ),
    Case(
        "a network policy whose rule names nobody",
        "no-open-network-policy",
        [network_policy(ingress=[{"ports": [{"port": 8080}]}])],
        [f"NetworkPolicy one: spec.ingress[0].from is missing, {_OPEN_TO}"],
    ),
    Case(
        "network policies that name everybody",
        "no-open-network-policy",
        [
            network_policy(
                policyTypes=["Ingress"],
                ingress=[
                    {"from": [{"podSelector": {}}]},
                    {"from": [{"podSelector": {}}, {"ipBlock": {"cidr": "0.0.0.0/0"}}]},
                    {"from": [{"namespaceSelector": {}}]},
                ],
            )
        ],
        [
            f"NetworkPolicy one: spec.ingress[{number}].from is everybody, {_OPEN_TO}"
            for number in (1, 2)
        ],
    ),
    Case(
        "a network policy of pods that are elsewhere",
        "network-policy-selects",
        [deployment({}), network_policy(podSelector={"matchLabels": {"app": "qwne"}})],
        [
            "NetworkPolicy one: spec.podSelector.matchLabels is of no pods of the stack in models, "
            "but it must be labels that pods there have: pods that no policy selects let everybody "
            "in."
        ],
    ),
    Case(
        "a quota without GPUs before pods that ask for some",
        "quotas-leave-room",
        [
            deployment({"resources": GPU}, **PLACED),
            quota(**{f"requests.{GPU_RESOURCE}": "0", "pods": 0}),
        ],
        [
            f"ResourceQuota quota: spec.hard[{name}] is {most}, but it must be more, or left out: "
            "pods of the stack in models ask for it."
            for name, most in ((f"requests.{GPU_RESOURCE}", "'0'"), ("pods", "0"))
        ],
    ),
    Case(
        "a tree that guarantees more than its bound",
        "quotas-leave-room",
        [tree("8", "4000m")],
        [
            "ElasticQuotaTree one: spec.root.children[team-a].max[cpu] is '4000m', but it must be "
            "8 or more, as min has it: the bound covers what is guaranteed, or the scheduler "
            "refuses the tree."
        ],
    ),
    Case(
        "a budget that lets no pod go",
        "nodes-drain",
        [budget(maxUnavailable=0)],
        [
            "PodDisruptionBudget budget: spec.maxUnavailable is 0, but it must be 1 or more: "
            f"{_STUCK}"
        ],
    ),
    Case(
        "a budget of every pod",
        "nodes-drain",
        [budget(minAvailable="100%")],
        [f"PodDisruptionBudget budget: spec.minAvailable is '100%', {_FEWER}"],
    ),
    *(
        Case(
            f"a budget of as many replicas as {about} has",
            "nodes-drain",
            [budget(label, minAvailable=2), *resources],
            [f"PodDisruptionBudget budget: spec.minAvailable is 2 of at most {most}, {_FEWER}"],
        )
        for about, label, most, resources in (
            ("a Deployment", "app", 1, [deployment({})]),
            ("a Deployment that an autoscaler bounds", "app", 2, [deployment({}), scaled(2)]),
            ("a Service of Knative", "app", 2, [knative("2")]),
            ("a model of KServe", "model", 2, [predictor(2)]),
        )
    ),
    Case(
        "an import by plain HTTP without a checksum",
        "checked-imports",
        [imported(endpoint="http://mirror.example.com")],
        [
            f"Job one: {POD}.containers[import].env[IMPORT].endpoint is an address of plain HTTP, "
            "but it must be an address of https, or sha256 given of each file: whoever is on the "
            "way may put other files in the place of the model's."
        ],
    ),
    Case(
        "a model of Hugging Face that an LLMInferenceService has fetched",
        "whole-models",
        [
            manifest(
                "serving.kserve.io/v1alpha2",
                "LLMInferenceService",
                {"spec": {"model": {"uri": "hf://acme/qwen"}}},
            )
        ],
        [
            "LLMInferenceService one: spec.model.uri is 'hf://acme/qwen', but it must be pvc:// of "
            "a folder that is filled once: where the hub is not reached when KServe's initializer "
            "starts again, half of the model passes for whole."
        ],
    ),
    Case(
        "a model of a hub that KServe fetches",
        "whole-models",
        [fetched("hf://acme/qwen:v1.0.0")],
        [
            "InferenceService one: spec.predictor.model.storageUri is 'hf://acme/qwen:v1.0.0', but "
            "it must be pvc:// of a folder that is filled once: where the hub is not reached when "
            "KServe's initializer starts again, half of the model passes for whole."
        ],
    ),
    Case(
        "a folder of S3 without a slash",
        "closed-folders",
        [fetched("s3://models/Qwen2.5-7B")],
        [
            "InferenceService one: spec.predictor.model.storageUri is 's3://models/Qwen2.5-7B', "
            "but it must be s3://models/Qwen2.5-7B/: KServe fetches all whose names begin so, the "
            "models beside it too."
        ],
    ),
    *(
        Case(
            f"a folder of S3 without a slash, {about}",
            "closed-folders",
            [manifest(f"serving.kserve.io/{version}", kind, {"spec": spec})],
            [
                f"{kind} one: {field} is 's3://models/Qwen-7B', but it must be "
                "s3://models/Qwen-7B/: KServe fetches all whose names begin so, the models beside "
                "it too."
            ],
        )
        for about, version, kind, spec, field in (
            (
                "of an LLMInferenceService",
                "v1alpha2",
                "LLMInferenceService",
                {"model": {"uri": "s3://models/Qwen-7B"}},
                "spec.model.uri",
            ),
            (
                "in a variable",
                "v1beta1",
                "InferenceService",
                {
                    "predictor": {
                        "containers": [
                            {
                                "image": IMAGE,
                                "env": [{"name": "STORAGE_URI", "value": "s3://models/Qwen-7B"}],
                            }
                        ]
                    }
                },
                "spec.predictor.containers[0].env[0].value",
            ),
        )
    ),
    Case(
        "an import of a branch",
        "pinned-models",
        [imported(revision="main")],
        [f"Job one: {POD}.containers[import].env[IMPORT].revision is 'main', {_MOVES}"],
    ),
    *(
        Case(
            f"a model of a hub {about}",
            "pinned-models",
            [deployment(container)],
            [f"Deployment one: {POD}.containers[server].args[--revision] is {got}, {_MOVES}"],
        )
        for about, container, got in (
            ("without a revision", {"command": ["vllm", "serve", "Qwen/Qwen3-8B"]}, "missing"),
            (
                "by its branch, in vLLM's own image",
                {"args": ["--model=Qwen/Qwen3-8B", "--revision", "main"]},
                "'main'",
            ),
        )
    ),
    Case(
        "a gateway in the open, without keys and limits",
        "closed-gateways",
        [proxies("LoadBalancer"), gateway()],
        [
            "Gateway one: spec.listeners[0].protocol is 'HTTP', but it must be 'HTTPS', with a "
            "certificate: prompts, answers and keys pass by in the open.",
            "Gateway one: metadata.name is 'one', but it must be the target of a SecurityPolicy "
            "that asks for keys: whoever reaches it uses the models.",
            "Gateway one: metadata.name is 'one', but it must be a gateway whose routes have a "
            "BackendTrafficPolicy with a rateLimit: one client can take all cards for itself.",
        ],
    ),
]

ACCEPTED: Final = [
    *cases.ACCEPTED,
    Case(
        "a data disk with a key of its own",
        "encrypted-disks",
        [
            resource(
                POOL,
                {
                    **ENCRYPTED,
                    "systemDiskKmsKey": "key-a",
                    "dataDisks": [{"encrypted": True, "kmsKeyId": UNKNOWN}],
                },
            )
        ],
    ),
    Case(
        "secrets by reference, numbers of tokens, and what is not known yet",
        "no-plain-secret",
        [
            deployment(
                {
                    "args": ["--max-tokens", "4096", "--api-key", "$(VLLM_API_KEY)"],
                    "env": [
                        {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub"}}},
                        {"name": "TOKENIZERS_PARALLELISM", "value": "false"},
                        {"name": "API_TOKEN", "value": UNKNOWN},
                        {"name": "PASSWORD_FILE", "value": "/etc/secrets/password"},
                    ],
                }
            ),
            config_map(MAX_TOKENS="4096"),
        ],
    ),
    Case(
        "capabilities that are no way out, and one for RDMA",
        "no-node-access",
        [
            deployment(
                {"securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE", "IPC_LOCK"]}}},
                hostNetwork=False,
                volumes=[{"name": "scratch", "emptyDir": {}}],
            )
        ],
    ),
    Case(
        "a capability that a team allows",
        "no-node-access",
        [deployment({"securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}}})],
        settings={"capabilities": ["SYS_PTRACE"]},
    ),
    Case(
        "pods of a user, and one of whom nothing is said",
        "no-root",
        [
            deployment(
                {"securityContext": {"allowPrivilegeEscalation": False}},
                securityContext={"runAsUser": 1000},
            ),
            manifest("v1", "Pod", {"spec": {"containers": [{"image": IMAGE}]}}, "other"),
        ],
    ),
    Case(
        "a role of a few verbs, and who has it",
        "no-open-role",
        [
            role("Role", rules=[{"resources": ["configmaps"], "verbs": ["get"]}]),
            role(
                "RoleBinding",
                roleRef={"name": "reader"},
                subjects=[{"kind": "ServiceAccount", "name": "models"}],
            ),
        ],
    ),
    *(
        Case(f"a load balancer {about}", "no-open-service", [load_balancer(notes, **spec)])
        for about, notes, spec in (
            ("of the VPC", {f"{BALANCER}-address-type": "intranet"}, {}),
            (
                "of the VPC, by the old prefix",
                {"service.beta.kubernetes.io/alicloud-loadbalancer-address-type": "intranet"},
                {},
            ),
            ("that names who is let in", {}, {"loadBalancerSourceRanges": ["198.51.100.0/24"]}),
            (
                "with an access list",
                {f"{BALANCER}-acl-status": "on", f"{BALANCER}-acl-type": "white"},
                {},
            ),
            ("that exists", {f"{BALANCER}-id": "lb-example"}, {}),
            ("whose address is not known yet", {f"{BALANCER}-address-type": UNKNOWN}, {}),
        )
    ),
    Case(
        "a Service of the cluster",
        "no-open-service",
        [manifest("v1", "Service", {"spec": {"type": "ClusterIP"}})],
    ),
    Case(
        "controllers of the VPC, and public ones with allow lists behind them",
        "no-public-ingress",
        [
            addon("nginx-ingress-controller", IngressSlbNetworkType="internet"),
            addon("alb-ingress-controller", albIngress={"AddressType": "Internet"}),
            ingress({ALLOWED: "198.51.100.0/24"}, tls=[{"secretName": "chat"}]),
        ],
    ),
    Case(
        "a controller of the VPC before an Ingress",
        "no-public-ingress",
        [
            addon("nginx-ingress-controller", IngressSlbNetworkType="intranet"),
            addon(
                "alb-ingress-controller",
                albIngress={"CreateDefaultALBConfig": True, "AddressType": "Intranet"},
            ),
            ingress(tls=[{"secretName": "chat"}]),
        ],
    ),
    Case(
        "hosts with a certificate, of their domain, or of ALB",
        "tls-hosts",
        [
            ingress(tls=[{"hosts": ["*.example.org"], "secretName": "chat"}]),
            ingress({"alb.ingress.kubernetes.io/listen-ports": '[{"HTTPS": 443}]'}),
            manifest(
                "serving.knative.dev/v1beta1",
                "DomainMapping",
                {"spec": {"tls": {"secretName": "chat"}}},
            ),
        ],
    ),
    Case(
        "network policies that name a few, nobody, or only whom pods ask",
        "no-open-network-policy",
        [
            network_policy(
                ingress=[
                    {
                        "from": [
                            {"podSelector": {}},
                            {"namespaceSelector": {}, "podSelector": {"matchLabels": {"a": "b"}}},
                            {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}},
                        ]
                    },
                    {"from": UNKNOWN},
                ]
            ),
            network_policy(ingress=[]),
            network_policy(policyTypes=["Egress"], ingress=[{}]),
        ],
    ),
    Case(
        "network policies of all pods, and of some that are there",
        "network-policy-selects",
        [
            deployment({}),
            network_policy(),
            network_policy(podSelector={"matchLabels": {"app": "qwen"}}),
        ],
    ),
    Case(
        "quotas that leave room, and one without GPUs where nobody asks for one",
        "quotas-leave-room",
        [
            deployment({}),
            quota(**{f"requests.{GPU_RESOURCE}": "0", "pods": "4", "limits.cpu": UNKNOWN}),
            tree("8", "8000m"),
        ],
    ),
    Case(
        "budgets of fewer pods than there may be, and of pods that nobody bounds",
        "nodes-drain",
        [
            budget(minAvailable=1),
            budget(maxUnavailable="25%"),
            deployment({}),
            scaled(2),
            knative("0"),
        ],
    ),
    Case(
        "imports by TLS, and by plain HTTP with checksums",
        "checked-imports",
        [
            imported(),
            imported(endpoint="https://mirror.example.com"),
            imported(endpoint="http://mirror.example.com", sha256={"a.safetensors": "0" * 64}),
        ],
    ),
    Case(
        "models of volumes and buckets, and what a server reads of a hub by itself",
        "whole-models",
        [
            fetched("pvc://models/Qwen-7B"),
            fetched("s3://models/Qwen-7B/"),
            manifest(
                "serving.kserve.io/v1alpha2",
                "LLMInferenceService",
                {
                    "spec": {
                        "model": {"uri": "hf://acme/qwen"},
                        "storageInitializer": {"enabled": False},
                    }
                },
            ),
        ],
    ),
    Case(
        "folders of S3 with a slash, files, a bucket, and what KServe keeps to by itself",
        "closed-folders",
        [
            fetched("s3://models/Qwen-7B/"),
            fetched("s3://models/qwen.tar.gz"),
            fetched("s3://models"),
            fetched("gs://models/Qwen-7B"),
            fetched("pvc://models/Qwen-7B"),
        ],
    ),
    Case(
        "models by commit, by release, of a bucket, and from a folder",
        "pinned-models",
        [
            imported(revision="0" * 40),
            imported(kind="oss", revision="main"),
            deployment({"command": ["vllm", "serve", "Qwen/Qwen3-8B", "--revision", "v1.0.0"]}),
            deployment({"command": ["vllm", "serve", "/mnt/models/qwen"]}),
            deployment({"command": ["sleep", "9"], "image": "registry.example.com/tools:1"}),
        ],
    ),
    Case(
        "a gateway that asks for keys and limits, and one behind it",
        "closed-gateways",
        [
            proxies("LoadBalancer"),
            gateway("HTTPS"),
            asked("SecurityPolicy", apiKeyAuth={}),
            asked("BackendTrafficPolicy", rateLimit={"type": "Global"}),
        ],
    ),
    Case("a gateway behind another one", "closed-gateways", [proxies("ClusterIP"), gateway()]),
    Case(
        "the AccessKey of content moderation from a secret",
        "no-access-key",
        [moderation(SECRET, SECRET)],
    ),
]
