"""Cases of the rules of `stacks.checks.updates`."""

from typing import Final

from ..environments import GONE, Raw, dev, hybrid
from .cases import Case, refusals, surprises
from .parts import CHAT, MODEL, NEW_IMAGE, groups, llm, roles

QWEN: Final = "models[qwen].serve.knative.scale"
ONE: Raw = {"max": 1, "target": 1}
UPGRADE: Final = "pools[a10].upgrade"
CHAT_SECONDS: Final = "models[qwen-chat].serve.kserve.request_seconds"
BUILD: Final = "1.34.1-aliyun.1"

CASES = [
    Case(
        "nodes_are_upgraded_to_their_cluster",
        "an upgrade of nodes that was left there since the version before",
        dev,
        {"cluster.version": "1.35.1-aliyun.1", UPGRADE: {"kubernetes_version": BUILD}},
        (
            f"{UPGRADE}.kubernetes_version is '{BUILD}', but it must be 1.35.1-aliyun.1, as "
            "cluster.version is, or upgrade left out: nodes follow the control plane, and an "
            "upgrade that is done is taken out again."
        ),
        {"cluster.version": BUILD, UPGRADE: {"kubernetes_version": BUILD}},
    ),
    Case(
        "nodes_are_upgraded_to_their_cluster",
        "a minor version that another one begins with",
        dev,
        {"cluster.version": "1.30", UPGRADE: {"kubernetes_version": "1.3"}},
        (
            f"{UPGRADE}.kubernetes_version is '1.3', but it must be 1.30, as cluster.version is, "
            "or upgrade left out: nodes follow the control plane, and an upgrade that is done is "
            "taken out again."
        ),
        {"cluster.version": "1.34", UPGRADE: {"kubernetes_version": BUILD}},
    ),
]


DECODE: Final = "models[qwen].serve.roles.decode"
SURPRISES = [
    Case(
        "updates_have_a_spare_card",
        "an update of one role, which has pools of its own",
        roles,
        {f"{DECODE}.update": {"max_unavailable": 0, "max_surge": 1}},
        (
            f"{DECODE}: an update needs room for 1 more replica before it ends an old one, and the "
            "pools l20 hold 2: with 2 replicas or more it waits until load falls. Give update "
            "max_surge 0 and max_unavailable 1, or a pool one more node."
        ),
        {},
    ),
    Case(
        "updates_have_a_spare_card",
        "an update of pods that write beside pods that read",
        llm,
        {
            "models[chat]": GONE,
            "pools[a10].autoscale": GONE,
            "pools[a10].size": 2,
        },
        (
            "models[split].serve.llm: an update needs room for 1 more replica before it ends an "
            "old one, and the pools a10 hold 1, cards for the fewest pods of other models and "
            "roles left aside: with scale.min 1 it never ends. Give a pool one more node."
        ),
        {"models[chat]": GONE, "pools[a10].autoscale": GONE, "pools[a10].size": 3},
    ),
    Case(
        "updates_have_a_spare_card",
        "an update that waits for the card of the pod that it replaces",
        dev,
        {"models[qwen].placement.pools": ["a10"], f"{QWEN}.min": 2, f"{QWEN}.max": 2},
        (
            "models[qwen].serve.knative: an update needs room for 2 more replicas before it ends "
            "an old one, and the pools a10 hold 2: with scale.min 2 it never ends. Give a pool one "
            "more node for each (an autoscaled pool that is empty costs nothing), or scale.min 0 "
            "where a cold start will do: Knative ends no old revision before."
        ),
        {"models[qwen].placement.pools": ["a10"], f"{QWEN}.max": 1},
    ),
    Case(
        "updates_have_a_spare_card",
        "an update that waits for a card which another model always has",
        dev,
        {
            "models[qwen].placement.pools": ["a10"],
            f"{QWEN}.max": 1,
            "models[+]": MODEL,
        },
        (
            "models[qwen].serve.knative: an update needs room for 1 more replica before it ends "
            "an old one, and the pools a10 hold 1, cards for the fewest pods of other models "
            "left aside: with scale.min 1 it never ends. Give a pool one more node for each (an "
            "autoscaled pool that is empty costs nothing), or scale.min 0 where a cold start will "
            "do: Knative ends no old revision before."
        ),
        {
            "models[qwen].placement.pools": ["a10"],
            f"{QWEN}.max": 1,
            "models[+]": {**MODEL, "serve": {"knative": {"scale": {**ONE, "min": 0}}}},
        },
    ),
    Case(
        "updates_have_a_spare_card",
        "an update that has no room while all replicas run",
        dev,
        {f"{QWEN}.max": 6},
        (
            "models[qwen].serve.knative: an update needs room for 1 more replica before it ends "
            "an old one, and the pools a10, t4 hold 6: with 6 replicas or more it waits until "
            "load falls. Give a pool one more node for each (an autoscaled pool that is empty "
            "costs nothing), or scale.min 0 where a cold start will do: Knative ends no old "
            "revision before."
        ),
        {f"{QWEN}.max": 5},
    ),
    Case(
        "updates_have_a_spare_card",
        "an update that starts a group beside the one that has all nodes",
        groups,
        {"models[qwen].serve.leader_worker.max_surge": 1},
        (
            "models[qwen].serve.leader_worker: an update needs room for 1 more replica before it "
            "ends an old one, and the pools a10 hold 1: with scale.min 1 it never ends. Set "
            "max_surge to 0, or give a pool the nodes of one more group."
        ),
        {"models[qwen].serve.leader_worker.max_surge": 1, "pools[a10].size": 4},
    ),
    Case(
        "updates_have_a_spare_card",
        "an update by KServe that waits for the card of the pod that it replaces",
        hybrid,
        {"models[qwen-chat].placement.pools": ["elastic"], f"{CHAT}.min": 3},
        (
            "models[qwen-chat].serve.kserve: an update needs room for 1 more replica before it "
            "ends an old one, and the pools elastic hold 3: with scale.min 3 it never ends. Set "
            "rollout to type Recreate, or to max_surge 0 with max_unavailable 1, or give a pool "
            "one more node."
        ),
        {
            "models[qwen-chat].placement.pools": ["elastic"],
            f"{CHAT}.min": 3,
            "models[qwen-chat].serve.kserve.rollout": {"max_surge": 0, "max_unavailable": 1},
        },
    ),
    Case(
        "drains_end_before_their_pod",
        "a drain that is longer than the grace period",
        hybrid,
        {
            **NEW_IMAGE,
            "models[qwen-queue].server.vllm.extra_args": ["--shutdown-timeout", "21"],
        },
        (
            "models[qwen-queue].server gives vLLM 21 s after SIGTERM by --shutdown-timeout, but "
            "serve.kserve.grace_seconds 30 ends the pod 20 s after it: 31 would do, or the flag "
            "left out, which follows from it then."
        ),
        {
            **NEW_IMAGE,
            "models[qwen-queue].server.vllm.extra_args": ["--shutdown-timeout", "20"],
        },
    ),
    Case(
        "knative_ends_answers_in_hand",
        "answers that a release cuts off when Knative ends their pod",
        dev,
        {"models[qwen].serve.knative.request_seconds": 31},
        (
            "models[qwen].serve.knative.request_seconds is 31, but when a pod ends, Knative stops "
            "its server once no request has begun for 30 s, and vLLM aborts what it has in hand: "
            "longer answers may be cut off at each update and scale-down. From 0.18 on it finishes "
            "them, told by --shutdown-timeout."
        ),
        {"models[qwen].serve.knative.request_seconds": 30},
    ),
    Case(
        "knative_ends_answers_in_hand",
        "the same, where KServe has Knative run them",
        hybrid,
        {CHAT: {"metric": "concurrency", "target": 4, "max": 1}, CHAT_SECONDS: 60},
        (
            "models[qwen-chat].serve.kserve.request_seconds is 60, but when a pod ends, Knative "
            "stops its server once no request has begun for 30 s, and vLLM aborts what it has in "
            "hand: longer answers may be cut off at each update and scale-down. From 0.18 on it "
            "finishes them, told by --shutdown-timeout."
        ),
        {CHAT_SECONDS: 60},
    ),
    Case(
        "upgrades_are_taken_out_again",
        "an upgrade of nodes",
        dev,
        {UPGRADE: {"image_id": "aliyun_3_x64_20G_alibase_20260629.vhd"}},
        (
            f"{UPGRADE} rolls the nodes of the pool with the next `pulumi up`, and once more with "
            "each that changes anything of the pool: take it out as soon as that is done."
        ),
        {"pools[a10].rolling": {"max_parallelism": 2}},
    ),
    Case(
        "upgrades_are_taken_out_again",
        "an upgrade that waits for a person longer than the update",
        dev,
        {
            UPGRADE: {"kubernetes_version": BUILD},
            "pools[a10].rolling": {"pause_policy": "FirstBatch"},
        },
        (
            "pools[a10].rolling.pause_policy is FirstBatch: `pulumi up` waits for whoever goes on "
            "in ACK's console, 60 minutes at most, and has failed then."
        ),
        {UPGRADE: {"kubernetes_version": BUILD}, "pools[a10].rolling": {}},
    ),
    Case(
        "batches_are_of_a_size_that_ack_takes",
        "a batch larger than those of ACK's pages",
        dev,
        {"pools[a10].rolling": {"max_parallelism": 11}},
        (
            "pools[a10].rolling.max_parallelism is 11: ACK's pages name 10 nodes at once as the "
            "most."
        ),
        {"pools[a10].rolling": {"max_parallelism": 10}},
    ),
]


test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
