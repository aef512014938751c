"""Cases of the rules of `stacks.runtimes.llm` and `stacks.platforms.llm`."""

import re
from typing import Final

from stacks.arguments.metrics import is_scaled_on_vllm

from ..environments import GONE, Raw, accepted, merged, planned
from .cases import Case, refusals, surprises
from .parts import ATTACHED, GATEWAY, llm
from .parts import LLM_CHAT as CHAT
from .parts import LLM_SPLIT as SPLIT

MOE: Final = "models[moe].serve.llm"


READING: Final = {"min": 1, "max": 2, "metric": "vllm_num_requests_waiting", "target": 4}


def at_blocks(end: str) -> Raw:
    """A volume at, or below, the folder of offloaded blocks."""
    return {"name": "scratch", "mount_path": f"/mnt/kv-cache-0{end}", "empty_dir": {}}


PICKER: Final = {
    "apiVersion": "llm-d.ai/v1alpha1",
    "kind": "EndpointPickerConfig",
    "plugins": [
        {"type": "single-profile-handler"},
        {"type": "queue-scorer"},
        {"type": "prefix-cache-scorer", "parameters": {"maxPrefixTokensToMatch": 262144}},
    ],
    "schedulingProfiles": [
        {
            "name": "default",
            "plugins": [
                {"pluginRef": "queue-scorer", "weight": 2},
                {"pluginRef": "prefix-cache-scorer", "weight": 3},
            ],
        }
    ],
}
"""What an endpoint picker is told, in its own form."""

CASES = [
    Case(
        "routers_have_a_gateway",
        "a router of no gateway",
        llm,
        {f"{CHAT}.router": {}},
        (
            f"{CHAT}.router.gateway is missing, but it must be given, or the stack's section "
            "`gateway`: KServe attaches a route to it."
        ),
        ATTACHED,
    ),
    Case(
        "routers_have_a_gateway",
        "a router that is to have a Gateway where routers are in its place",
        llm,
        {
            **GATEWAY,
            "gateway": {"flavor": "router", "picker": {"image": "registry/vllm-router:0.1.17"}},
            "models[moe].route": {},
            f"{CHAT}.router": {},
        },
        (
            f"{CHAT}.router.gateway is missing, but it must be given: with gateway.flavor router "
            "the stack makes no Gateway."
        ),
        {
            **GATEWAY,
            "gateway": {"flavor": "router", "picker": {"image": "registry/vllm-router:0.1.17"}},
            "models[moe].route": {},
        },
    ),
    Case(
        "types_of_pools_come_once",
        "types that ACK's add-on brings",
        llm,
        {**ATTACHED, "llm_inference_services": {"inference_pools": True}},
        (
            "llm_inference_services.inference_pools is True, but it must be left out, or false: "
            "ACK's add-on brings them."
        ),
        {**ATTACHED, "llm_inference_services": {"inference_pools": False}},
    ),
    Case(
        "types_of_pools_come_once",
        "types that the cluster is said to have",
        llm,
        {
            **GATEWAY,
            "gateway": {"flavor": "envoy", "inference_types": True},
            "models[moe].route": {},
            "llm_inference_services": {"inference_pools": True},
        },
        (
            "llm_inference_services.inference_pools is True, but it must be left out, or false: "
            "gateway.inference_types says there are."
        ),
        {
            **GATEWAY,
            "gateway": {"flavor": "envoy", "inference_types": True},
            "models[moe].route": {},
        },
    ),
    Case(
        "releases_have_llm_inference_services",
        "charts of a release before v1alpha2 as it is now",
        llm,
        {"kserve": {"chart": {"version": "v0.19.0"}}},
        (
            "kserve.chart.version is 'v0.19.0', but it must be v0.20.0 or later: models are served "
            "by LLMInferenceService v1alpha2 as that release has it."
        ),
        {"kserve": {"chart": {"version": "v0.20.1"}}},
    ),
    Case(
        "releases_have_llm_inference_services",
        "ack-kserve",
        llm,
        {
            "kserve": {
                "chart": {"flavor": "ack", "chart": "oci://registry/ack-kserve", "version": "1.0.0"}
            }
        },
        (
            "kserve.chart.flavor is 'ack', but it must be upstream, or "
            "llm_inference_services.install false: no page of ack-kserve names "
            "LLMInferenceServices."
        ),
        {
            "kserve": {
                "chart": {"flavor": "ack", "chart": "oci://registry/ack-kserve", "version": "1.0.0"}
            },
            "llm_inference_services": {"install": False},
        },
    ),
    Case(
        "releases_have_llm_inference_services",
        "a KServe that is there, and older",
        llm,
        {
            "kserve": {"install": False, "version": "v0.18.0", "ingress_controller": "present"},
            "llm_inference_services": {"install": False},
            "cert_manager": "present",
        },
        (
            "kserve.version is 'v0.18.0', but it must be v0.20.0 or later: models are served by "
            "LLMInferenceService v1alpha2 as that release has it."
        ),
        {
            "kserve": {"install": False, "version": "v0.20.0", "ingress_controller": "present"},
            "llm_inference_services": {"install": False},
            "cert_manager": "present",
        },
    ),
    Case(
        "LLMInferenceServicesSection",
        "values for a controller that is there",
        llm,
        {"llm_inference_services": {"install": False, "values": {"a": 1}}},
        (
            "llm_inference_services.values is given, but it must be left out with install false: "
            "the cluster has the controller, and nothing is installed."
        ),
        {"llm_inference_services": {"install": False}},
    ),
    Case(
        "autoscalers_are_there",
        "an autoscaler that nobody has",
        llm,
        {
            f"{CHAT}.scale": {"min": 1, "max": 2, "wva": {"actuator": "hpa"}},
            "llm_inference_services": {"install": False},
        },
        (
            "llm_inference_services.variant_autoscaler is False, but it must be true, once the "
            f"Workload Variant Autoscaler is installed: {CHAT}.scale.wva is given, "
            "and it says how many pods."
        ),
        {
            f"{CHAT}.scale": {"min": 1, "max": 2, "wva": {"actuator": "hpa"}},
            "llm_inference_services": {"install": False, "variant_autoscaler": True},
        },
    ),
    Case(
        "actuators_keep_to_what_is_said",
        "an HPA that multiplies what it is told",
        llm,
        {
            f"{CHAT}.scale": {"min": 1, "max": 2, "wva": {"actuator": "hpa"}},
            "llm_inference_services": {"variant_autoscaler": True},
        },
        (
            f"{CHAT}.scale.wva.actuator is 'hpa', but it must be 'keda': the HPA that KServe 0.20 "
            "makes multiplies by the replicas that are ready, up to max, and never comes back."
        ),
        {
            f"{CHAT}.scale": {"min": 1, "max": 2, "wva": {"actuator": "hpa"}},
            "llm_inference_services": {"install": False, "variant_autoscaler": True},
        },
    ),
    Case(
        "autoscalers_are_there",
        "KEDA that is not there",
        llm,
        {
            f"{CHAT}.scale": {"min": 1, "max": 2, "wva": {}},
            "llm_inference_services": {"variant_autoscaler": True},
        },
        (
            "keda is False, but it must be true, once KEDA is installed: "
            f"{CHAT}.scale.wva.actuator is keda."
        ),
        {
            f"{CHAT}.scale": {"min": 1, "max": 2, "wva": {}},
            "llm_inference_services": {"variant_autoscaler": True},
            "keda": True,
        },
    ),
    Case(
        "offloaded_blocks_fit_the_disk",
        "blocks that no node's disk has room for",
        llm,
        {f"{CHAT}.kv_offload.disk": "120Gi"},
        (
            f"{CHAT}.kv_offload.disk is '120Gi', but it must be at most 108Gi, or a "
            "larger disk for pool a10: a node of it has 120 GiB, of which pods get 90 %."
        ),
        {f"{CHAT}.kv_offload.disk": "108Gi"},
    ),
    Case(
        "LLMScale",
        "fewer at most than at least",
        llm,
        {
            f"{CHAT}.scale": {"min": 3, "max": 2, "wva": {}},
            "llm_inference_services": {"variant_autoscaler": True},
            "keda": True,
        },
        (
            f"{CHAT}.scale.min is 3, but it must be at most max (2): the autoscaler needs an "
            "ordered range."
        ),
        {
            f"{CHAT}.scale": {"min": 2, "max": 2, "wva": {}},
            "llm_inference_services": {"variant_autoscaler": True},
            "keda": True,
        },
    ),
    Case(
        "LLMScale",
        "two who scale",
        llm,
        {
            f"{CHAT}.scale": {
                "min": 1,
                "max": 2,
                "wva": {},
                "metric": "vllm_num_requests_waiting",
            },
            "llm_inference_services": {"variant_autoscaler": True},
            "keda": True,
        },
        (
            f"{CHAT}.scale.metric is given, but it must be left out beside wva: one "
            "of them scales, by what it looks at."
        ),
        {
            f"{CHAT}.scale": {"min": 1, "max": 2, "wva": {}},
            "llm_inference_services": {"variant_autoscaler": True},
            "keda": True,
        },
    ),
    Case(
        "LLMScale",
        "as many without load as with it",
        llm,
        {
            f"{CHAT}.scale": {"min": 1, "max": 2, "wva": {"idle": 1}},
            "llm_inference_services": {"variant_autoscaler": True},
            "keda": True,
        },
        (
            f"{CHAT}.scale.wva.idle is 1, but it must be less than min (1), with "
            "actuator keda: it is what is left without load."
        ),
        {
            f"{CHAT}.scale": {"min": 2, "max": 2, "wva": {"idle": 1}},
            "llm_inference_services": {"variant_autoscaler": True},
            "keda": True,
        },
    ),
    Case(
        "autoscalers_are_there",
        "figures that nobody asks for",
        llm,
        {
            f"{CHAT}.scale": {
                "min": 0,
                "max": 2,
                "metric": "prometheus",
                "target": 4,
                "query": {"server": "http://p:9090", "query": "sum(up)"},
                "keda": {},
            }
        },
        (
            "keda is False, but it must be true, once KEDA is installed: "
            f"{CHAT}.scale.keda is given."
        ),
        {
            f"{CHAT}.scale": {
                "min": 0,
                "max": 2,
                "metric": "prometheus",
                "target": 4,
                "query": {"server": "http://p:9090", "query": "sum(up)"},
                "keda": {},
            },
            "keda": True,
        },
    ),
    Case(
        "LLMScale",
        "what KServe scales the other kind on",
        llm,
        {f"{CHAT}.scale": {"min": 1, "max": 2, "metric": "cpu", "target": 80}},
        (
            f"{CHAT}.scale.metric is 'cpu', but it must be one that pods report, or "
            "prometheus with keda: KServe scales this kind on no other."
        ),
        {},
    ),
    Case(
        "LLMScale",
        "a query that nobody asks",
        llm,
        {
            f"{CHAT}.scale": {
                "min": 1,
                "max": 2,
                "metric": "prometheus",
                "target": 4,
                "query": {"server": "http://p:9090", "query": "sum(up)"},
            }
        },
        (f"{CHAT}.scale.keda is missing, but it must be given with prometheus: KEDA asks for it."),
        {},
    ),
    Case(
        "LLMScale",
        "none at least, where KServe's own scaling knows none",
        llm,
        {
            f"{CHAT}.scale": {"min": 0, "max": 2, "wva": {}},
            "llm_inference_services": {"variant_autoscaler": True},
            "keda": True,
        },
        (f"{CHAT}.scale.min is 0, but it must be 1 or more with wva: KServe 0.20 takes no 0."),
        {},
    ),
    Case(
        "LLMScale",
        "a number that nobody changes",
        llm,
        {f"{CHAT}.scale": {"min": 1, "max": 2}},
        (
            f"{CHAT}.scale.metric is missing, but it must be given, or min set to "
            "max: somebody has to scale."
        ),
        {f"{CHAT}.scale": {"min": 2, "max": 2}},
    ),
    Case(
        "LLMParallelism",
        "pods that are not alike",
        llm,
        {f"{MOE}.parallelism.data_local": 3},
        (
            f"{MOE}.parallelism.data_local is 3, but it must be a divisor of data "
            "(4): all pods of a replica are alike."
        ),
        {},
    ),
    Case(
        "KVOffload",
        "blocks in two places",
        llm,
        {f"{CHAT}.kv_offload.claim": "blocks", f"{CHAT}.kv_offload.disk": "60Gi"},
        (
            f"{CHAT}.kv_offload.claim is 'blocks', but it must be left out beside "
            "disk: blocks lie in one place."
        ),
        {f"{CHAT}.kv_offload.claim": "blocks"},
    ),
    Case(
        "LLMModelArgs",
        "blocks that the memory of a pod has no room for",
        llm,
        {f"{CHAT}.kv_offload.memory": "80Gi"},
        (
            f"{CHAT}.kv_offload.memory is '80Gi', but it must be less than "
            "server.resources.memory (80Gi): it is a part of it."
        ),
        {f"{CHAT}.kv_offload.memory": "79Gi"},
    ),
    Case(
        "LLMModelArgs",
        "blocks of each copy in a pod",
        llm,
        {f"{MOE}.kv_offload": {"memory": "256Gi"}},
        (
            f"{MOE}.kv_offload.memory is '256Gi', but it must be less than "
            "server.resources.memory (512Gi), for 2 copies in a pod: it is a part of it."
        ),
        {f"{MOE}.kv_offload": {"memory": "255Gi"}},
    ),
    Case(
        "LLMModelArgs",
        "a tier of files by a name that it has later",
        llm,
        {
            f"{CHAT}.kv_offload.disk": "60Gi",
            "models[chat].server.image": "docker.io/vllm/vllm-openai:v0.22.1",
        },
        (
            f"{CHAT}.kv_offload.disk is '60Gi', but it must be left out, or an image from 0.23.0 "
            "on: vLLM 0.22.1 knows no tier of files by its name."
        ),
        {"models[chat].server.image": "docker.io/vllm/vllm-openai:v0.22.1"},
    ),
    Case(
        "LLMModelArgs",
        "a tier of files on a claim by a name that it has later",
        llm,
        {
            f"{CHAT}.kv_offload.claim": "blocks",
            "models[chat].server.image": "docker.io/vllm/vllm-openai:v0.22.0",
        },
        (
            f"{CHAT}.kv_offload.claim is 'blocks', but it must be left out, or an image from "
            "0.23.0 on: vLLM 0.22.0 knows no tier of files by its name."
        ),
        {
            f"{CHAT}.kv_offload.claim": "blocks",
            "models[chat].server.image": "docker.io/vllm/vllm-openai:v0.23.0",
        },
    ),
    Case(
        "LLMModelArgs",
        "a volume where KServe mounts the blocks",
        llm,
        {f"{CHAT}.kv_offload.claim": "blocks", "models[chat].volumes": [at_blocks("/")]},
        (
            "models[chat].volumes[scratch].mount_path is '/mnt/kv-cache-0/', but it must be "
            "another path: KServe mounts the blocks there, and makes no pod with two volumes at "
            "one."
        ),
        {f"{CHAT}.kv_offload.claim": "blocks", "models[chat].volumes": [at_blocks("/a")]},
    ),
    Case(
        "LLMModelArgs",
        "a budget of pods that read and pods that write",
        llm,
        {"models[split].pod_disruption_budget": {"max_unavailable": 1}},
        (
            "models[split].pod_disruption_budget is given, but it must be left out with prefill: "
            "it would count prefill and decode together, and a model needs some of each."
        ),
        {"models[moe].pod_disruption_budget": {"max_unavailable": 1}},
    ),
    Case(
        "ModelServer",
        "cards of each copy, which follow from their number",
        llm,
        {"models[moe].server.vllm.tensor_parallel_size": 4},
        (
            "models[moe].server.vllm.tensor_parallel_size is 4, but it must be resources.gpus (8), "
            "or left out where copies share them: vLLM starts one worker per card."
        ),
        {},
    ),
    Case(
        "LLMModelArgs",
        "blocks that /dev/shm has no room for",
        llm,
        {"models[chat].server.shared_memory": "32Gi"},
        (
            "models[chat].server.shared_memory is '32Gi', but it must be left out, or more than "
            "serve.kv_offload.memory (32Gi): vLLM keeps these blocks in /dev/shm, and does not "
            "start where they have no room."
        ),
        {"models[chat].server.shared_memory": "33Gi"},
    ),
    Case(
        "KVOffload",
        "no memory for blocks",
        llm,
        {f"{CHAT}.kv_offload.memory": "0"},
        (f"{CHAT}.kv_offload.memory is '0', but it must be more than 0: blocks go there first."),
        {},
    ),
    Case(
        "LLMRouting",
        "a configuration that nobody reads",
        llm,
        {f"{CHAT}.router.scheduler": False, f"{CHAT}.router.scheduler_config": PICKER},
        (
            f"{CHAT}.router.scheduler_config is given, but it must be left out without scheduler: "
            "nobody reads it."
        ),
        {f"{CHAT}.router.scheduler_config": PICKER},
    ),
    Case(
        "LLMRouting",
        "a configuration of another kind",
        llm,
        {f"{CHAT}.router.scheduler_config": {**PICKER, "kind": "Config"}},
        (
            f"{CHAT}.router.scheduler_config is given otherwise, but it must be one with "
            "apiVersion and kind EndpointPickerConfig: the picker reads no other."
        ),
        {},
    ),
    Case(
        "LLMRouting",
        "a plugin that no profile can refer to",
        llm,
        {
            f"{CHAT}.router.scheduler_config": {
                **PICKER,
                "plugins": [*PICKER["plugins"], {"type": "queue-scorer"}],
            }
        },
        (
            f"{CHAT}.router.scheduler_config.plugins[3] is 'queue-scorer', but it must be another "
            "one, which is given as its name: profiles refer to it by this."
        ),
        {
            f"{CHAT}.router.scheduler_config": {
                **PICKER,
                "plugins": [*PICKER["plugins"], {"type": "queue-scorer", "name": "second"}],
            }
        },
    ),
    Case(
        "LLMRouting",
        "a plugin that is not there",
        llm,
        {f"{CHAT}.router.scheduler_config": {**PICKER, "plugins": PICKER["plugins"][:2]}},
        (
            f"{CHAT}.router.scheduler_config.schedulingProfiles[default].plugins.pluginRef is "
            "'prefix-cache-scorer', but it must be one of single-profile-handler, queue-scorer: "
            "the picker ends where it finds no such plugin."
        ),
        {},
    ),
    Case(
        "LLMServe",
        "a configuration that never asks for prefill",
        llm,
        {f"{SPLIT}.router.scheduler_config": PICKER},
        (
            f"{SPLIT}.router.scheduler_config.schedulingProfiles is without prefill, but it must "
            "be one called prefill too: no pod would be chosen for it, and decode would read each "
            "prompt itself."
        ),
        {
            f"{SPLIT}.router.scheduler_config": {
                **PICKER,
                "schedulingProfiles": [
                    *PICKER["schedulingProfiles"],
                    {"name": "prefill", "plugins": [{"pluginRef": "queue-scorer"}]},
                ],
            }
        },
    ),
    Case(
        "LLMRouting",
        "a share of no group",
        llm,
        {f"{CHAT}.router.weight": 10},
        (f"{CHAT}.router.group is missing, but it must be given too: a share is one of a group."),
        {f"{CHAT}.router.weight": 0, f"{CHAT}.router.group": "qwen"},
    ),
    Case(
        "LLMRouting",
        "two endpoint pickers, and none",
        llm,
        {f"{CHAT}.router.scheduler": False, f"{CHAT}.router.scheduler_replicas": 2},
        (
            f"{CHAT}.router.scheduler_replicas is 2, but it must be left out without "
            "scheduler: there is none."
        ),
        {f"{CHAT}.router.scheduler_replicas": 2},
    ),
    Case(
        "LLMServe",
        "prefill that nobody asks",
        llm,
        {f"{SPLIT}.router.scheduler": False},
        (
            f"{SPLIT}.router.scheduler is left out, but it must be true with "
            "prefill: without its endpoint picker nobody sends a prompt to the prefill pods first."
        ),
        {},
    ),
    Case(
        "LLMServe",
        "two connectors of the KV cache",
        llm,
        {f"{SPLIT}.kv_offload": {"memory": "8Gi"}},
        (
            f"{SPLIT}.kv_offload is given, but it must be left out with prefill: "
            "vLLM takes one connector of the KV cache, and prefill has it."
        ),
        {},
    ),
    Case(
        "LLMServe",
        "two actuators",
        llm,
        {
            f"{SPLIT}.scale": {"min": 1, "max": 2, "wva": {}},
            f"{SPLIT}.prefill.scale": {"min": 1, "max": 2, "wva": {"actuator": "hpa"}},
            "llm_inference_services": {"variant_autoscaler": True},
            "keda": True,
        },
        (
            f"{SPLIT}.prefill.scale.wva.actuator is 'hpa', but it must be 'keda', as "
            "that of scale: KServe refuses two kinds of actuators."
        ),
        {
            f"{SPLIT}.scale": {"min": 1, "max": 2, "wva": {}},
            f"{SPLIT}.prefill.scale": {"min": 1, "max": 2, "wva": {}},
            "llm_inference_services": {"variant_autoscaler": True},
            "keda": True,
        },
    ),
    Case(
        "LLMModelArgs",
        "a server that no Service leads to",
        llm,
        {
            "models[chat].server.vllm": GONE,
            "models[chat].server.command": ["serve"],
            f"{CHAT}.kv_offload": GONE,
        },
        (
            "models[chat].server.port is 8080, but it must be 8000, and that of server.command: "
            "KServe's Service and pool lead there."
        ),
        {
            "models[chat].server.vllm": GONE,
            "models[chat].server.command": ["serve"],
            "models[chat].server.port": 8000,
            f"{CHAT}.kv_offload": GONE,
        },
    ),
    Case(
        "LLMModelArgs",
        "a port of its own",
        llm,
        {"models[chat].server.port": 9000},
        (
            "models[chat].server.port is 9000, but it must be 8000, or left out: "
            "KServe's Service and pool lead there."
        ),
        {"models[chat].server.port": 8000},
    ),
    Case(
        "LLMModelArgs",
        "flags for a command of one's own",
        llm,
        {
            "models[chat].server.vllm": GONE,
            "models[chat].server.command": ["serve", "--port", "8080"],
        },
        (
            f"{CHAT}.kv_offload is given, but it must be left out, or server.vllm in "
            "place of server.command: its flags go to vLLM, and server.command is as it is."
        ),
        {
            "models[chat].server.vllm": GONE,
            "models[chat].server.command": ["serve", "--port", "8080"],
            f"{CHAT}.kv_offload": GONE,
        },
    ),
    Case(
        "LLMModelArgs",
        "more blocks than memory",
        llm,
        {f"{CHAT}.kv_offload.memory": "80Gi"},
        (
            f"{CHAT}.kv_offload.memory is '80Gi', but it must be less than "
            "server.resources.memory (80Gi): it is a part of it."
        ),
        {f"{CHAT}.kv_offload.memory": "79Gi"},
    ),
    Case(
        "LLMModelArgs",
        "tiers that the release lacks",
        llm,
        {"models[chat].server.image": "docker.io/vllm/vllm-openai:v0.21.0"},
        (
            f"{CHAT}.kv_offload is given, but it must be left out, or an image from "
            "0.22.0 on: vLLM 0.21.0 knows no tiers of the KV cache."
        ),
        {"models[chat].server.image": "docker.io/vllm/vllm-openai:v0.22.0"},
    ),
    Case(
        "LLMModelArgs",
        "copies that share a card",
        llm,
        {"models[moe].server.resources.gpus": 7},
        (
            "models[moe].server.resources.gpus is 7, but it must be a multiple of the copies in a "
            "pod (2): each has cards of its own."
        ),
        {},
    ),
    Case(
        "LLMModelArgs",
        "replicas of several pods that are spread",
        llm,
        {"models[moe].topology_spread": [{"topology": "zone"}]},
        (
            "models[moe].topology_spread is given, but it must be left out: it would spread the "
            "pods of a replica, which belong together."
        ),
        {"models[chat].topology_spread": [{"topology": "node"}]},
    ),
    Case(
        "LLMModelArgs",
        "copies, said twice",
        llm,
        {"models[moe].server.vllm.extra_args": ["--enable-expert-parallel"]},
        (
            "models[moe].server.vllm.extra_args is '--enable-expert-parallel', but it must be left "
            "out: serve.llm says it."
        ),
        {"models[moe].server.vllm.extra_args": ["--enforce-eager"]},
    ),
    Case(
        "LLMModelArgs",
        "a text that KServe reads as its own",
        llm,
        {"models[chat].server.env": {"PROMPT": "{{ x }}"}},
        (
            "models[chat].server.env[PROMPT].value is a text with {{, but it must be one without "
            "{{, such as a file of a volume: KServe reads it as a template of its own, and makes "
            "no pod."
        ),
        {"models[chat].server.env": {"PROMPT": "{ x }"}},
    ),
    Case(
        "LLMModelArgs",
        "a volume called as one of the preset",
        llm,
        {"models[chat].volumes": [{"name": "home", "claim": "home", "mount_path": "/data"}]},
        (
            "models[chat].volumes[home].name is 'home', but it must be none of dshm, home, "
            "model-cache, tls-certs, tmp-dir: KServe's preset has one of that name and another "
            "kind, and mixes the two."
        ),
        {"models[chat].volumes": [{"name": "house", "claim": "home", "mount_path": "/data"}]},
    ),
    Case(
        "LLMModelArgs",
        "a name of groups that is too long",
        llm,
        {"models[moe].name": "m" * 43},
        (
            "models[mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm].name is "
            "'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm', but it must be at most 40 long: the "
            "workers of its last replica are the StatefulSet "
            "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm-kserve-mn-0, which may have 52 "
            "characters. See https://github.com/kubernetes/kubernetes/issues/64023"
        ),
        {"models[moe].name": "m" * 40},
    ),
]

SURPRISES = [
    Case(
        "offloaded_blocks_pile_up",
        "a disk that fills up",
        llm,
        {f"{CHAT}.kv_offload.disk": "60Gi"},
        (
            f"{CHAT}.kv_offload.disk is 60Gi, and vLLM takes no block off it again: once it is "
            "full the kubelet evicts the pod, with all its requests. Left out, what memory has no "
            "room for is dropped."
        ),
        {},
    ),
    Case(
        "offloaded_blocks_pile_up",
        "a claim that fills up",
        llm,
        {f"{CHAT}.kv_offload.claim": "blocks"},
        (
            f"{CHAT}.kv_offload.claim is blocks, and vLLM takes no block off it again: have "
            "something delete old files there, or it is full one day."
        ),
        {},
    ),
    Case(
        "present_llm_controller_is_configured",
        "a controller whose settings nobody knows",
        llm,
        {"llm_inference_services": {"install": False}},
        (
            "llm_inference_services.install is false, so nobody sets what the models need of the "
            "cluster's KServe: have in its ConfigMap inferenceservice-config no "
            "enableLLMInferenceServiceTLS true, by which probes ask by HTTPS and no pod is ever "
            "ready, and in the namespace kserve the presets kserve-config-llm-* of its release."
        ),
        {},
    ),
    Case(
        "routes_have_names_of_their_own",
        "two models that are served under one name",
        llm,
        {"models[split].server.vllm.served_model_name": "qwen3"},
        (
            "models[split] is served as qwen3, as is models[chat]: KServe's routes at /publishers "
            "and by the header X-Gateway-Model-Name lead to one of the two. Another name, or one "
            "router.group for both, which shares the requests."
        ),
        {
            "models[split].server.vllm.served_model_name": "qwen3",
            f"{CHAT}.router.group": "qwen",
            f"{CHAT}.router.weight": 9,
            f"{SPLIT}.router.group": "qwen",
            f"{SPLIT}.router.weight": 1,
        },
    ),
    Case(
        "shares_are_of_a_group",
        "a group of one",
        llm,
        {f"{CHAT}.router.weight": 10, f"{CHAT}.router.group": "qwen"},
        (
            f"{CHAT}.router.group is qwen, and no other model of namespace inference "
            "is in it: it gets all requests, whatever its weight."
        ),
        {
            f"{CHAT}.router.weight": 10,
            f"{CHAT}.router.group": "qwen",
            f"{SPLIT}.router.group": "qwen",
            f"{SPLIT}.router.weight": 1,
        },
    ),
    Case(
        "gateways_of_routes_are_there",
        "a Gateway that nobody makes",
        llm,
        {},
        (
            "The Gateway gateways/models of models[chat], models[split] is not made here: have it, "
            "its GatewayClass and the Gateway API before the controller of LLMInferenceServices "
            "starts, which looks for them once. It has to take routes of the models' namespaces "
            "(allowedRoutes), and to know InferencePools where a model has an endpoint picker."
        ),
        ATTACHED,
    ),
    Case(
        "gateways_of_routes_are_there",
        "a Gateway by the name that the stack's own would have",
        llm,
        {f"{CHAT}.router.gateway.namespace": "inference", SPLIT: {"scale": {"max": 1}}},
        (
            "The Gateway inference/models of models[chat] is not made here: have it, its "
            "GatewayClass and the Gateway API before the controller of LLMInferenceServices "
            "starts, which looks for them once. It has to take routes of the models' namespaces "
            "(allowedRoutes), and to know InferencePools where a model has an endpoint picker."
        ),
        {
            **GATEWAY,
            f"{CHAT}.router.gateway.namespace": "inference",
            SPLIT: {"scale": {"max": 1}},
        },
    ),
]

test_a_mistake_is_refused, test_the_value_beside_it_is_accepted = refusals(CASES)
test_a_surprise_is_told, test_what_is_none_is_not = surprises(SURPRISES)


def test_prometheus_asks_pods_by_a_label_that_they_have() -> None:
    """KServe's label of InferenceServices is on no pod of an LLMInferenceService."""
    raw = merged(llm(), {"models[split]": GONE, "models[moe]": GONE})
    plan = planned(raw)
    [monitor] = plan.of("kubernetes:monitoring.coreos.com/v1:PodMonitor")
    [expression] = monitor.inputs["spec"]["selector"]["matchExpressions"]
    [service] = plan.of("kubernetes:serving.kserve.io/v1alpha2:LLMInferenceService")
    assert expression == {"key": "release", "operator": "Exists"}
    assert service.inputs["spec"]["labels"] == {"release": "chat"}


def test_prometheus_asks_a_model_whose_prefill_alone_scales() -> None:
    environment = accepted(merged(llm(), {f"{SPLIT}.prefill.scale": READING}))
    scaled = [model.name for model in environment.models if is_scaled_on_vllm(model)]
    assert scaled == ["chat", "split"]


def test_a_budget_counts_all_pods_of_a_replica() -> None:
    """One that loses a pod loses all of them."""
    budget = {
        "models[moe].pod_disruption_budget": {"min_available": 1},
        "models[chat].pod_disruption_budget": {"min_available": 1},
        "models[chat].serve.llm.scale.min": 2,
        "pools[a10].autoscale.max": 9,
    }
    budgets = planned(merged(llm(), budget)).of("kubernetes:policy/v1:PodDisruptionBudget")
    counted = {resource.inputs["metadata"]["name"]: resource.inputs["spec"] for resource in budgets}
    assert counted["moe-llm"]["minAvailable"] == 2
    assert counted["chat-llm"]["minAvailable"] == 1


def test_alerts_watch_the_pods_that_read_prompts_too() -> None:
    plan = planned(merged(llm(), {"alerts": {}}))
    [rules] = plan.of("kubernetes:monitoring.coreos.com/v1:PrometheusRule")
    groups = {group["name"]: group["rules"] for group in rules.inputs["spec"]["groups"]}

    def pods(name: str) -> str:
        alerts = {rule["alert"]: rule["expr"] for rule in groups[f"inference-{name}-alerts"]}
        [pattern] = set(re.findall(r'pod=~"([^"]+)"', alerts["ModelQueueStuck"]))
        return str(pattern)

    assert re.fullmatch(pods("split"), "split-kserve-7f9c4b8d5-x2x4z")
    assert re.fullmatch(pods("split"), "split-kserve-prefill-7f9c4b8d5-x2x4z")
    assert not re.fullmatch(pods("chat"), "chat-kserve-router-scheduler-7f9c4b8d5-x2x4z")
    assert not re.fullmatch(pods("split"), "split-kserve-router-scheduler-7f9c4b8d5-x2x4z")
