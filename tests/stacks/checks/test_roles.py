"""Cases of the rules of `stacks.runtimes.roles` and `stacks.platforms.roles`."""

import re
from typing import Any, Final

import pytest

from components.crds.role_based_group_labels import GROUP_NAME, ROLE_NAME
from components.crds.role_based_group_rules import pod_name
from plan.graph import graph_of
from plan.model import Plan
from plan.words import steps

from ..environments import GONE, Raw, existing, hybrid, merged, planned, sentences, warnings
from .cases import Case, refusals, surprises
from .parts import llm, roles

QWEN: Final = "models[qwen].serve.roles"
DEEPSEEK: Final = "models[deepseek].serve.roles"
GROUP: Final = "kubernetes:workloads.x-k8s.io/v1alpha2:RoleBasedGroup"
POLICY: Final = "kubernetes:scheduling.alibabacloud.com/v1alpha1:ResourcePolicy"
ROUTER: Final = {"image": "registry/vllm-router:0.1.17"}
FIXED: Final = {"min": 1, "max": 1}
SGLANG: Final = ("python3", "-m", "sglang.launch_server", "--model-path", "/mnt/models/deepseek")


def apart(**serve: Any) -> Raw:
    """What has a KServe model of another stack served by prefill and decode."""
    section = {
        "prefill": {"scale": FIXED},
        "decode": {"scale": FIXED},
        "router": ROUTER,
        **serve,
    }
    return {
        "models[qwen-queue].serve": {"roles": section},
        "models[qwen-queue].server.image": "registry/vllm:0.19.0",
    }


SMALL: Final = {"cpu": "1", "memory": "2Gi", "gpus": 1}
OWN: Final = {f"{QWEN}.prefill.resources": {"cpu": "5", "memory": "40Gi", "gpus": 1}}
"""With them the resources of the server are those of no pod: decode has its own already."""


@pytest.mark.parametrize(
    "server",
    [
        {"vllm.extra_args": ["--kv-offloading-size", "20"]},
        {"shared_memory": "8Gi"},
    ],
)
def test_resources_that_no_pod_asks_for_have_nothing_to_hold(server: Raw) -> None:
    changes = {f"models[qwen].server.{field}": value for field, value in server.items()}
    changes["models[qwen].server.resources"] = SMALL
    assert sentences(merged(roles(), {**changes, **OWN})) == []
    [sentence] = sentences(merged(roles(), changes))
    assert sentence.startswith("models[qwen].server.")
    assert "(2Gi)" in sentence


def test_each_role_has_room_for_what_its_server_is_told() -> None:
    changes = {"models[qwen].server.vllm.extra_args": ["--kv-offloading-size", "45"]}
    [sentence] = sentences(merged(roles(), changes))
    assert sentence.startswith(f"{QWEN}.decode.extra_args is one that keeps 45 GiB in the pod's")
    assert "(40Gi)" in sentence


CASES = [
    Case(
        "roles_run_in_one_network",
        "prefill and decode on an edge cluster",
        hybrid,
        {
            **apart(),
            "edge_pools[idc].gpu": "A10",
            "pools[elastic].gpu": "A10",
            "pools[elastic].instance_types": ["ecs.gn7i-c16g1.4xlarge"],
        },
        (
            "models[qwen-queue].serve.roles is given, but it must be left out on profile edge, or "
            "knative or kserve in its place: the KV cache of each prompt crosses a network that "
            "machines of an IDC have at best."
        ),
        {},
    ),
    Case(
        "names_of_roles_are_their_own",
        "a model that is called as a role of another one",
        roles,
        {"models[deepseek].name": "qwen-decode"},
        (
            "models[qwen-decode].name is 'qwen-decode', but it must be another one: models[qwen] "
            "has objects of that name."
        ),
        {"models[deepseek].name": "qwen-decoder"},
    ),
    Case(
        "InstalledChart",
        "a chart for a controller that is there already",
        roles,
        {"role_based_groups": {"install": False, "version": "0.7.0"}},
        (
            "role_based_groups.version is given, but it must be left out with install false: the "
            "cluster has the controller, and nothing is installed."
        ),
        {"role_based_groups": {"install": False}},
    ),
    Case(
        "gangs_have_who_reads_them",
        "a PodGroup that ACK's scheduler does not know",
        roles,
        {f"{DEEPSEEK}.gang": "pod_group"},
        (
            f"{DEEPSEEK}.gang is 'pod_group', but it must be labels, on a cluster of ACK: ACK's "
            "scheduler knows no PodGroup of scheduling.x-k8s.io, and without that resource type "
            "the "
            "controller makes no pod at all."
        ),
        {f"{DEEPSEEK}.gang": "labels"},
    ),
    Case(
        "EngineRole",
        "instances of several pods that an HPA scales",
        roles,
        {f"{QWEN}.prefill.nodes": 2, "pools[a10].size": 4},
        (
            f"{QWEN}.prefill.scale.metric is 'vllm_num_requests_waiting', but it must be left out, "
            "and min set to max, where nodes is more than 1: an HPA counts every pod of the role, "
            "and workers report nothing: it would add instances late, and never take one away "
            "(selector of RoleInstanceSets, pkg/reconciler/roleinstanceset/statefulmode of v0.7.0)."
        ),
        {f"{QWEN}.prefill.nodes": 2, f"{QWEN}.prefill.scale": FIXED},
    ),
    Case(
        "EngineRole",
        "a flag that a role says by itself",
        roles,
        {f"{DEEPSEEK}.decode.extra_args": ["--disaggregation-mode", "decode"]},
        (
            f"{DEEPSEEK}.decode.extra_args is '--disaggregation-mode', but it must be left out: "
            f"the "
            "role says it by its fields."
        ),
        {f"{DEEPSEEK}.decode.extra_args": ["--chunked-prefill-size", "4096"]},
    ),
    Case(
        "EngineRole",
        "an update of nobody",
        roles,
        {f"{QWEN}.decode.update": {"partition": 1}},
        (
            f"{QWEN}.decode.update.partition is 1, but it must be less than scale.min (1): no "
            "instance would be updated."
        ),
        {f"{QWEN}.decode.update": {"partition": 0}},
    ),
    Case(
        "RoleUpdate",
        "an update that takes no step",
        roles,
        {f"{QWEN}.decode.update": {"max_unavailable": 0}},
        (
            f"{QWEN}.decode.update.max_unavailable is 0, but it must be 1 or more, or max_surge "
            "given: with neither an update takes no step."
        ),
        {f"{QWEN}.decode.update": {"max_unavailable": 0, "max_surge": 1}},
    ),
    Case(
        "RouterRole",
        "servers by their addresses, of which only the first are there for good",
        roles,
        {f"{QWEN}.router.extra_args": ["--prefill", "http://qwen-prefill-0.s-qwen-prefill:8080"]},
        (
            f"{QWEN}.router.extra_args is '--prefill', but it must be left out: it finds the "
            "servers of both roles by their labels, however many there are."
        ),
        {f"{QWEN}.router.extra_args": ["--policy", "round_robin"]},
    ),
    Case(
        "RouterRole",
        "labels of v1alpha1, which no pod has any more",
        roles,
        {f"{QWEN}.router.extra_args": ["--x", "rolebasedgroup.workloads.x-k8s.io/role=prefill"]},
        (
            f"{QWEN}.router.extra_args is 'rolebasedgroup.workloads.x-k8s.io/role', but it must be "
            f"{GROUP_NAME} or {ROLE_NAME}: pods of v1alpha2 have no such label, and nobody "
            f"would be "
            "found."
        ),
        {f"{QWEN}.router.extra_args": ["--x", f"{ROLE_NAME}=prefill"]},
    ),
    Case(
        "RouterRole",
        "a router with cards",
        roles,
        {f"{QWEN}.router.resources": {"cpu": "2", "memory": "4Gi"}},
        (f"{QWEN}.router.resources.gpus is 1, but it must be 0: a router computes nothing."),
        {f"{QWEN}.router.resources": {"cpu": "2", "memory": "4Gi", "gpus": 0}},
    ),
    Case(
        "Coordination",
        "a skew as a number, on which the controller ends with an error",
        roles,
        {f"{QWEN}.coordination.max_skew": 5},
        (
            f"{QWEN}.coordination.max_skew is '5', but it must be a percentage such as '10%', at "
            "most 100%: the controller reads no number, and ends each reconcile with an error. See "
            "https://github.com/sgl-project/rbg/blob/v0.7.0"
        ),
        {f"{QWEN}.coordination.max_skew": "5%"},
    ),
    Case(
        "RolesServe",
        "roles that wait for each other",
        roles,
        {f"{QWEN}.prefill.depends_on": ["decode"], f"{QWEN}.decode.depends_on": ["prefill"]},
        (
            f"{QWEN}.prefill.depends_on is decode, but it must be without a cycle: it would wait "
            "for itself, be it by way of others. See https://github.com/sgl-project/rbg/blob/v0.7.0"
        ),
        {f"{QWEN}.decode.depends_on": ["prefill"]},
    ),
    Case(
        "RolesServe",
        "a role that waits for nobody",
        roles,
        {f"{QWEN}.router.depends_on": ["prefil"]},
        (
            f"{QWEN}.router.depends_on is 'prefil', but it must be a role of the group: it would "
            "never be made. See https://github.com/sgl-project/rbg/blob/v0.7.0"
        ),
        {f"{QWEN}.router.depends_on": ["prefill"]},
    ),
    Case(
        "RolesServe",
        "a gang of which one part waits for the other",
        roles,
        {f"{DEEPSEEK}.decode.depends_on": ["prefill"]},
        (
            f"{DEEPSEEK}.decode.depends_on is prefill, but it must be left out with gang: no "
            f"pod of "
            "the gang is placed before all are there, and it is made after them."
        ),
        {f"{DEEPSEEK}.router.depends_on": ["prefill"]},
    ),
    Case(
        "RolesServe",
        "a gang that is made step by step",
        roles,
        {f"{DEEPSEEK}.coordination": {"max_skew": "10%"}},
        (
            f"{DEEPSEEK}.coordination.max_skew is '10%', but it must be 100% with gang: no pod of "
            "the gang is placed before all are there, and the controller makes the next ones once "
            "the first are placed: both wait for good."
        ),
        {f"{DEEPSEEK}.coordination": {"max_skew": "100%"}},
    ),
    Case(
        "RolesServe",
        "steps that half of an instance ends",
        roles,
        {
            f"{DEEPSEEK}.gang": GONE,
            f"{DEEPSEEK}.coordination": {"progression": "OrderScheduled"},
        },
        (
            f"{DEEPSEEK}.coordination.progression is 'OrderScheduled', but it must be OrderReady: "
            "prefill has instances of several pods, and the controller compares pods that have a "
            "node with instances: half of them would do (getScheduledReplicas, v0.7.0)."
        ),
        {f"{DEEPSEEK}.gang": GONE, f"{DEEPSEEK}.coordination": {"progression": "OrderReady"}},
    ),
    Case(
        "RolesServe",
        "seconds for labels that have none",
        roles,
        {f"{DEEPSEEK}.gang_seconds": 120},
        (
            f"{DEEPSEEK}.gang_seconds is 120, but it must be left out without pod_group: ACK's "
            "labels have no time."
        ),
        {},
    ),
    Case(
        "RolesServe",
        "prefill and decode on one node",
        roles,
        {f"{QWEN}.exclusive_topology": "kubernetes.io/hostname"},
        (
            f"{QWEN}.exclusive_topology is 'kubernetes.io/hostname', but it must be left out: "
            "prefill and decode would have one node."
        ),
        {f"{QWEN}.exclusive_topology": "topology.kubernetes.io/zone"},
    ),
    Case(
        "RolesModelArgs",
        "a server that hands nothing over",
        roles,
        {"models[deepseek].server.command": ["python3", "-m", "my_server"]},
        (
            "models[deepseek].server.command is another server's, but it must be vllm, or a "
            "command "
            "with sglang.launch_server: other servers are not known to hand a prompt's KV cache "
            "over."
        ),
        {
            "models[deepseek].server.command": [
                "sglang",
                "serve",
                "--model-path",
                "/mnt/models/deepseek",
            ]
        },
    ),
    Case(
        "RolesModelArgs",
        "a mode for both roles",
        roles,
        {
            "models[qwen].server.vllm.extra_args": [
                "--kv-transfer-config",
                '{"kv_connector":"NixlConnector","kv_role":"kv_both"}',
            ]
        },
        (
            "models[qwen].server.vllm.extra_args is '--kv-transfer-config', but it must be left "
            "out: each role says it by its fields."
        ),
        {"models[qwen].server.vllm.extra_args": ["--enforce-eager"]},
    ),
    Case(
        "RolesModelArgs",
        "a port by which servers talk to each other",
        roles,
        {"models[deepseek].server.port": 8998},
        (
            "models[deepseek].server.port is 8998, but it must be another port: prefill and decode "
            "talk to each other by it."
        ),
        {"models[deepseek].server.port": 8999},
    ),
    Case(
        "RolesModelArgs",
        "a series of vLLM, of a server that is another",
        roles,
        {
            "models[deepseek].server.port": 8080,
            f"{DEEPSEEK}.gang": GONE,
            f"{DEEPSEEK}.decode": {
                "scale": {"max": 2, "metric": "vllm_kv_cache_usage", "target": 0.7}
            },
        },
        (
            f"{DEEPSEEK}.decode.scale.metric is 'vllm_kv_cache_usage', but it must be "
            "gpu_utilization: SGLang reports no such series, and nothing would scale."
        ),
        {
            f"{DEEPSEEK}.gang": GONE,
            f"{DEEPSEEK}.decode": {"scale": {"max": 2, "metric": "gpu_utilization", "target": 70}},
        },
    ),
    Case(
        "RolesModelArgs",
        "a shell that keeps the flags of a role to itself",
        roles,
        {"models[deepseek].server.command": ["bash", "-c", " ".join(SGLANG)]},
        (
            "models[deepseek].server.command is a script of a shell, but it must be the words of "
            'the program, or a script with "$@" and one word after it: flags of the role follow '
            "it, and the shell hands them to nobody."
        ),
        {"models[deepseek].server.command": ["bash", "-c", f'{" ".join(SGLANG)} "$@"', "--"]},
    ),
    Case(
        "RouterRole",
        "a shell that keeps the flags of a router to itself",
        roles,
        {f"{QWEN}.router.command": ["sh", "-c", 'vllm-router "$@"']},
        (
            f"{QWEN}.router.command is a script of a shell, but it must be the words of the "
            'program, or a script with "$@" and one word after it: flags of the role follow it, '
            "and the shell hands them to nobody."
        ),
        {f"{QWEN}.router.command": ["sh", "-c", 'vllm-router "$@"', "sh"]},
    ),
    Case(
        "RolesModelArgs",
        "a port that nobody asks",
        roles,
        {"models[deepseek].server.command": [*SGLANG, "--port=30000"]},
        (
            "models[deepseek].server.command is one with --port 30000, but it must be 8000, as "
            "server.port is, or left out: routers ask this one."
        ),
        {"models[deepseek].server.command": [*SGLANG, "--port", "8000"]},
    ),
    Case(
        "RolesModelArgs",
        "a port of one role that nobody asks",
        roles,
        {f"{DEEPSEEK}.decode.extra_args": ["--port", "8001"]},
        (
            f"{DEEPSEEK}.decode.extra_args is one with --port 8001, but it must be 8000, as "
            "server.port is, or left out: routers ask this one."
        ),
        {f"{DEEPSEEK}.decode.extra_args": ["--port", "8000"]},
    ),
    Case(
        "RolesModelArgs",
        "more cards than a role has",
        roles,
        {f"{DEEPSEEK}.prefill.extra_args": ["--tp-size", "32"]},
        (
            f"{DEEPSEEK}.prefill.extra_args is one for 32 cards, but it must be at most 16, or "
            "left out: prefill has so many cards, on each of which SGLang runs one process."
        ),
        {f"{DEEPSEEK}.prefill.extra_args": ["--tensor-parallel-size=16"]},
    ),
    Case(
        "RolesModelArgs",
        "a KV cache that the other role cannot read",
        roles,
        {f"{QWEN}.decode.extra_args": ["--kv-cache-dtype", "fp8"]},
        (
            f"{QWEN}.decode.extra_args is --kv-cache-dtype fp8, but it must be the same in both "
            "roles, or in server.vllm: decode reads the KV cache as prefill writes it, and refuses "
            "any other."
        ),
        {
            f"{QWEN}.decode.extra_args": ["--kv-cache-dtype", "fp8"],
            f"{QWEN}.prefill.extra_args": ["--kv-cache-dtype=fp8"],
        },
    ),
    Case(
        "RolesModelArgs",
        "a role without cards",
        roles,
        {f"{QWEN}.decode.resources.gpus": 0},
        f"{QWEN}.decode.resources.gpus is 0, but it must be 1 or more: the model runs on cards.",
        {f"{QWEN}.decode.resources.gpus": 1},
    ),
    Case(
        "RolesModelArgs",
        "servers of both roles that are spread as if they were the same",
        roles,
        {"models[qwen].topology_spread": [{"topology": "zone"}]},
        (
            "models[qwen].topology_spread is given, but it must be left out, or "
            "serve.exclusive_topology: it would spread prefill and decode as if they were the same."
        ),
        {f"{QWEN}.exclusive_topology": "topology.kubernetes.io/zone"},
    ),
    Case(
        "RolesModelArgs",
        "a door that nobody opens",
        roles,
        {"models[qwen].ingress": {"host": "chat.example.org"}},
        (
            "models[qwen].ingress is given, but it must be left out, and an Ingress of your own to "
            "the Service of the model's name: nothing that is installed for a RoleBasedGroup makes "
            "one."
        ),
        {},
    ),
    Case(
        "RolesModelArgs",
        "a budget that counts both roles together",
        roles,
        {"models[qwen].pod_disruption_budget": {"min_available": 1}},
        (
            "models[qwen].pod_disruption_budget is given, but it must be left out: it would count "
            "prefill and decode together, and a model needs some of each."
        ),
        {},
    ),
]

AMONG = [
    Case(
        "RolesModelArgs",
        "a flag of one role that vLLM's release does not know",
        roles,
        {f"{QWEN}.decode.extra_args": ["--no-such-flag"]},
        f"{QWEN}.decode.extra_args",
        {f"{QWEN}.decode.extra_args": ["--enforce-eager"]},
    ),
    Case(
        "name_faults",
        "a name of which pods have one that is too long",
        roles,
        {"models[qwen].name": "q" * 55},
        f"models[{'q' * 55}].name",
        {"models[qwen].name": "q" * 40},
    ),
    Case(
        "requests_fit_every_pool",
        "a role that is too large for its own pool",
        roles,
        {f"{QWEN}.decode.resources.cpu": "32"},
        (
            f"{QWEN}.decode.resources.cpu is '32', but it must be at most 6910m on pool l20: "
            "ecs.gn8is.2xlarge offers no more to pods beside its own agents."
        ),
        {f"{QWEN}.decode.resources.cpu": "6"},
    ),
    Case(
        "placements_name_pools",
        "a role on a pool that is not there",
        roles,
        {f"{QWEN}.decode.placement.pools": ["l40"]},
        f"{QWEN}.decode.placement.pools is 'l40'",
        {f"{QWEN}.decode.placement.pools": ["l20"]},
    ),
    Case(
        "lowest_sums_fit",
        "instances for which there are too few nodes",
        roles,
        {"pools[h20].size": 3},
        f"{DEEPSEEK}.prefill.scale.min",
        {"pools[h20].size": 4},
    ),
]

OTHER_CARDS: Final = {
    f"{QWEN}.decode.placement.pools": ["t4"],
    "pools[+]": {
        "name": "t4",
        "gpu": "T4",
        "instance_types": ["ecs.gn6i-c24g1.6xlarge"],
        "driver": "580.126.09",
        "size": 2,
    },
    "models[qwen].server.vllm.dtype": "half",
}
SURPRISES = [
    *(
        Case(
            "routers_have_their_program",
            f"a router of {other} before a model of {own}",
            roles,
            {f"models[{name}].serve.roles.router.image": f"registry/{other}-router:v1"},
            (
                f"models[{name}].serve.roles.router.image is registry/{other}-router:v1, by its "
                f"name one with {other}-router, and a model of this server is asked by "
                f"{own}-router: its pods do not start. Name an image that has it, or its program "
                "in router.command."
            ),
            {f"models[{name}].serve.roles.router.image": "registry/our-router:v1"},
        )
        for name, own, other in (("qwen", "vllm", "sglang"), ("deepseek", "sglang", "vllm"))
    ),
    Case(
        "caches_are_read_by_like_cards",
        "a KV cache that another kernel wrote",
        roles,
        OTHER_CARDS,
        (
            f"{QWEN}: by itself vLLM takes FLASH_ATTN on pool a10 and FLASHINFER on pool t4, and "
            "decode refuses a KV cache that was written by another one. Give --attention-backend "
            "in server.vllm.extra_args, or pools of like cards."
        ),
        {
            **OTHER_CARDS,
            "models[qwen].server.vllm.extra_args": ["--attention-backend", "TRITON_ATTN"],
        },
    ),
    Case(
        "caches_are_read_by_like_cards",
        "pools of unlike cards for both roles of KServe's",
        llm,
        {
            "pools[+]": OTHER_CARDS["pools[+]"],
            "models[split].placement.pools": ["a10", "t4"],
            "models[split].server.vllm.dtype": "half",
        },
        (
            "models[split].serve.llm: by itself vLLM takes FLASH_ATTN on pool a10 and FLASHINFER "
            "on pool t4, and decode refuses a KV cache that was written by another one. Give "
            "--attention-backend in server.vllm.extra_args, or pools of like cards."
        ),
        {},
    ),
    Case(
        "caches_go_by_rdma",
        "KV caches that go by TCP",
        roles,
        {},
        (
            f"{QWEN}.decode asks for no aliyun/erdma: the KV cache of each prompt goes by TCP, and "
            "the first token waits for it."
        ),
        {
            "models[qwen].server.resources.extended": {"aliyun/erdma": 1},
            f"{QWEN}.decode.resources.extended": {"aliyun/erdma": 1},
        },
    ),
    Case(
        "roles_that_scale_alone_have_no_ratio",
        "a skew that is taken for a ratio",
        roles,
        {},
        (
            f"{QWEN}.coordination holds prefill and decode only on the way to what each HPA asks "
            "for: bounds of scale alone keep the ratio of prefill to decode."
        ),
        {f"{QWEN}.coordination": GONE},
    ),
]

test_a_rule_of_roles_is_refused, test_a_rule_of_roles_is_kept = refusals(CASES)
test_what_roles_surprise_with_is_said, test_the_rest_of_roles_is_not = surprises(SURPRISES)


@pytest.mark.parametrize("case", AMONG, ids=str)
def test_a_rule_is_refused_among_others(case: Case) -> None:
    assert any(case.sentence in text for text in sentences(merged(case.base(), case.changes)))
    assert sentences(merged(case.base(), case.edge)) == []


def of_type(plan: Plan, type_: str) -> list[Any]:
    return [resource.inputs for resource in plan.resources if resource.type == type_]


def test_each_role_has_its_own_order_of_pools() -> None:
    policies = {
        policy["metadata"]["name"]: policy["spec"]["selector"]
        for policy in of_type(planned(roles()), POLICY)
    }
    assert policies == {
        "deepseek": {"release": "deepseek"},
        "qwen-prefill": {"release": "qwen", ROLE_NAME: "prefill"},
        "qwen-decode": {"release": "qwen", ROLE_NAME: "decode"},
    }


def test_a_plan_tells_what_becomes_of_each_role() -> None:
    graph = graph_of(planned(roles()))
    answers = {
        workload.title: [step.answer for step in steps(workload)]
        for workload in graph.workloads
        if workload.name == "qwen"
    }
    prefill, decode, router = (answers[f"RoleBasedGroup, role {role},"] for role in ROLES)
    assert prefill[0] == "1..2 pods, vllm_num_requests_waiting 4 each"
    assert "ResourcePolicy qwen-decode" in decode[-1]
    assert router == ["1 pod", "any node; no ResourcePolicy selects these pods"]


ROLES: Final = ("prefill", "decode", "router")


def test_a_cluster_that_has_the_controller_gets_none() -> None:
    without = merged(roles(), {"role_based_groups": {"install": False}})
    assert of_type(planned(without), GROUP)
    assert not [r for r in planned(without).resources if r.name == "role-based-groups-release"]


def test_any_cluster_can_have_a_gang_of_its_own_scheduler() -> None:
    """A PodGroup is for clusters whose scheduler is not ACK's."""
    raw = existing()
    name = raw["models"][0]["name"]
    section = {"prefill": {"scale": FIXED}, "decode": {"scale": FIXED}, "router": ROUTER}
    raw = merged(
        raw,
        {
            f"models[{name}].serve": {"roles": {**section, "gang": "pod_group"}},
            f"models[{name}].server.image": "registry/vllm:0.19.0",
        },
    )
    assert [text for text in sentences(raw) if "gang" in text] == []


def test_a_card_of_a_roles_own_pool_is_looked_at() -> None:
    """Of a model whose own placement has another one."""
    old = {"pools[l20].driver": "470.82.01"}
    assert any(text.startswith("pools[l20].driver") for text in sentences(merged(roles(), old)))


def test_the_weights_have_room_on_the_cards_of_each_role() -> None:
    size = {"models[qwen].volume.size": "21Gi"}
    texts = [text for text in warnings(merged(roles(), size)) if "GPU memory" in text]
    assert [("pool a10" in text, "pool l20" in text) for text in texts] == [(True, False)]


def test_a_roles_own_rdma_brings_the_controller_of_its_devices() -> None:
    addons = "alicloud:cs/kubernetesAddon:KubernetesAddon"
    without = {"models[deepseek].server.resources.extended": GONE}
    request = {f"{QWEN}.decode.resources.extended": {"aliyun/erdma": 1}}
    installed = [
        {addon["name"] for addon in of_type(planned(merged(roles(), changes)), addons)}
        for changes in (without, {**without, **request})
    ]
    assert ["ack-erdma-controller" in names for names in installed] == [False, True]


def test_an_update_that_starts_no_pod_more_needs_no_room() -> None:
    """With nodes that hold no more than there is, and one instance that may be missing."""
    on_h20 = {
        "models[qwen].placement.pools": ["h20"],
        f"{QWEN}.decode.placement": GONE,
        "pools[h20].size": 5,
    }
    texts = warnings(merged(roles(), on_h20))
    assert not [text for text in texts if "an update needs room" in text]


def test_alerts_watch_the_spot_nodes_of_either_role() -> None:
    def names(pool: str) -> set[str]:
        raw = merged(roles(), {"alerts": {}, f"pools[{pool}].spot": {}})
        [rules] = planned(raw).of("kubernetes:monitoring.coreos.com/v1:PrometheusRule")
        groups = {group["name"]: group["rules"] for group in rules.inputs["spec"]["groups"]}
        return {rule["alert"] for rule in groups["inference-qwen-alerts"]}

    assert "ModelSpotNodeLost" in names("l20") & names("a10") - names("h20")


def test_alerts_watch_the_pods_of_both_roles_and_no_number_that_is_of_one() -> None:
    plan = planned(merged(roles(), {"alerts": {}}))
    [rules] = plan.of("kubernetes:monitoring.coreos.com/v1:PrometheusRule")
    groups = {group["name"]: group["rules"] for group in rules.inputs["spec"]["groups"]}
    alerts = {rule["alert"]: rule["expr"] for rule in groups["inference-qwen-alerts"]}
    [pods] = set(re.findall(r'pod=~"([^"]+)"', alerts["ModelQueueStuck"]))
    # As the controller calls them: crds/role_based_group_rules.py, pod_name.
    for name in (pod_name("qwen", "prefill", 0), pod_name("qwen", "decode", 1)):
        assert re.fullmatch(pods, name)
    assert re.fullmatch(pods.replace("qwen", "deepseek"), pod_name("deepseek", "decode", 0, 1))
    assert not re.fullmatch(pods, pod_name("qwen", "router", 0))
    assert not re.fullmatch(pods, "qwen-decoder-7f9c4b8d5-x2x4z")
    assert "ModelScaleLimitReached" not in alerts
    recorded = {rule["record"] for rule in groups["inference-qwen-figures"]}
    assert "model:replicas:price_hourly" not in recorded
