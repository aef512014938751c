"""Cases of the rules of `stacks.runtimes.kserve` and `stacks.platforms.kserve`."""

from typing import Final

from ..environments import GONE, hybrid, signals
from .cases import Case, refusals, surprises
from .parts import (
    ACK_KSERVE,
    ASKED,
    CHAT,
    CONNECTED,
    LOW,
    MODEL,
    NEW_IMAGE,
    NEXT,
    ON_ELASTIC,
    pair,
    started,
    with_next,
)

MODE: Final = "serving.kserve.io/deploymentMode"


CANARY: Final = "models[qwen-chat].serve.kserve.canary"

CASES = [
    Case(
        "present_kserve_knows_the_mode",
        "a KServe that calls Knative's mode otherwise",
        hybrid,
        {
            CHAT: {"metric": "concurrency", "target": 4, "max": 1},
            "kserve": {"install": False, "version": "v0.15.2"},
        },
        (
            "kserve.version is 'v0.15.2', but it must be v0.16.0 or later: models[qwen-chat] "
            "scales on concurrency, in mode Knative, which older releases call otherwise."
        ),
        {
            CHAT: {"metric": "concurrency", "target": 4, "max": 1},
            "kserve": {"install": False, "version": "v0.16.0"},
        },
    ),
    Case(
        "kserve_runs_on_the_kubernetes",
        "a Kubernetes that KServe does not run on",
        hybrid,
        {"cluster.version": "1.31.9-aliyun.1"},
        (
            "cluster.version is '1.31.9-aliyun.1', but it must be 1.32 or later: the pinned KServe"
            " needs it."
        ),
        {"cluster.version": "1.32.1-aliyun.1"},
    ),
    Case(
        "kserve_runs_on_the_kubernetes",
        "a Kubernetes that only a KServe of other charts runs on",
        hybrid,
        {"cluster.version": "1.31"},
        "cluster.version is '1.31', but it must be 1.32 or later: the pinned KServe needs it.",
        {"cluster.version": "1.31", "kserve": {"chart": ACK_KSERVE}},
    ),
    Case(
        "keda_is_there",
        "figures without KEDA",
        signals,
        {"keda": False, "models[batch]": GONE},
        (
            "keda is False, but it must be true, once KEDA is installed: "
            "models[chat].serve.kserve.scale.keda is given."
        ),
        {},
    ),
    Case(
        "keda_is_there",
        "a query that nobody asks",
        hybrid,
        {CHAT: ASKED},
        (
            "keda is False, but it must be true, once KEDA is installed: "
            "models[qwen-chat].serve.kserve.scale.metric is prometheus, which KEDA asks for."
        ),
        {CHAT: ASKED, "keda": True},
    ),
    Case(
        "kserve_has_cert_manager",
        "KServe without cert-manager",
        hybrid,
        {"cert_manager": "absent"},
        (
            "cert_manager is 'absent', but it must be 'install' or 'present': KServe's webhooks "
            "get their certificate from it."
        ),
        {"cert_manager": "present"},
    ),
    Case(
        "modes_follow_the_metric",
        "a mode in which nobody would count what the model is scaled on",
        hybrid,
        {"models[qwen-chat].serve.kserve.annotations": {MODE: "Serverless"}},
        (
            f"models[qwen-chat].serve.kserve.annotations[{MODE}] is 'Serverless', but it must be "
            "left out: with scale.metric DCGM_CUSTOM_PROCESS_SM_UTIL the mode is Standard."
        ),
        {"models[qwen-chat].serve.kserve.annotations": {MODE: "Standard"}},
    ),
    Case(
        "services_have_their_own_names",
        "a model of Knative that has the name of another one's predictor",
        hybrid,
        {"models[+]": {**MODEL, "name": "qwen-chat-predictor", **ON_ELASTIC}},
        (
            "models[qwen-chat-predictor].name is 'qwen-chat-predictor', but it must be another "
            "one: KServe makes a Service of that name for models[qwen-chat]."
        ),
        {"models[+]": {**MODEL, "name": "qwen-chat-2", **ON_ELASTIC}},
    ),
    Case(
        "rendezvous_names_are_free",
        "a job whose pods would meet at the Service of a model",
        hybrid,
        {"training": [pair(name="qwen-chat-predictor")], **LOW, "edge_pools[idc]": CONNECTED},
        (
            "training[qwen-chat-predictor].name is 'qwen-chat-predictor', but it must be another "
            "one than qwen-chat-predictor: KServe makes a Service of that name for "
            "models[qwen-chat]."
        ),
        {
            "training": [pair(name="qwen-chat-predictor", parallelism=1)],
            **LOW,
            "edge_pools[idc]": CONNECTED,
        },
    ),
    Case(
        "canaries_share_requests",
        "a new version that is not there",
        with_next(),
        {CANARY: {**NEXT, "model": "nobody"}},
        (
            f"{CANARY}.model is 'nobody', but it must be the name of another entry of models: it "
            "is the new version."
        ),
        {CANARY: {**NEXT, "model": "next"}},
    ),
    Case(
        "canaries_share_requests",
        "a new version that Knative runs",
        with_next(serve={"kserve": {"scale": {"metric": "concurrency", "target": 2, "max": 2}}}),
        {CANARY: {**NEXT, "model": "next"}},
        (
            f"{CANARY}.model is 'next', but it must be a model of KServe that Knative does not "
            "run, and that shares with no other: an Ingress has one share beside it."
        ),
        {},
    ),
    Case(
        "canaries_share_requests",
        "a new version in another namespace",
        with_next(namespace="other"),
        {CANARY: {**NEXT, "model": "next"}},
        (
            "models[next].namespace is 'other', but it must be inference, that of "
            "models[qwen-chat]: an Ingress leads to Services of its own namespace."
        ),
        {},
    ),
    Case(
        "canaries_share_requests",
        "a new version with a key of its own",
        with_next(api_key_secret="key"),  # noqa: S106  the name of one
        {CANARY: {**NEXT, "model": "next"}},
        (
            "models[next].api_key_secret is another one, but it must be that of "
            "models[qwen-chat]: clients have one key."
        ),
        {CANARY: {**NEXT, "model": "next"}, "models[qwen-chat].api_key_secret": "key"},
    ),
    Case(
        "canaries_share_requests",
        "a share by a controller that is not NGINX's",
        with_next(),
        {
            CANARY: {**NEXT, "model": "next"},
            "kserve": {"ingress_class": "alb", "ingress_controller": "present"},
        },
        (
            f"{CANARY} is given, but it must be left out, or kserve.ingress_class one of NGINX's: "
            "requests are shared by annotations that NGINX reads; elsewhere, let the gateway share "
            "them between the two models' Services."
        ),
        {
            CANARY: {**NEXT, "model": "next"},
            "kserve": {"ingress_class": "nginx-internal", "ingress_controller": "present"},
        },
    ),
    Case(
        "canaries_share_requests",
        "a new version that clients do not ask for",
        with_next(),
        {
            CANARY: {**NEXT, "model": "next"},
            "models[next].server.command": started(
                "/mnt/models/Qwen", "--served-model-name", "other"
            ),
        },
        (
            "models[next].server is served as other, but it must be one whose served name is "
            "'qwen', as that of models[qwen-chat]: clients ask for one name, and the other would "
            "answer 404."
        ),
        {CANARY: {**NEXT, "model": "next"}},
    ),
]

SURPRISES = [
    Case(
        "updates_see_their_own_generation",
        "an update that waits for a generation that KServe never tells",
        hybrid,
        {"waits": {"service_seconds": 3600}, "models[qwen-queue]": GONE},
        (
            "waits.service_seconds is 3600, and KServe says of models[qwen-chat] which generation "
            "of its Deployment it has seen, in place of the model's own. After a change that "
            "leaves the Deployment as it is (of request_seconds, or of min and max where KServe "
            "scales), `up` waits 3600 s for a model that is ready, and fails. Leave it at 0; "
            "`ack-inference status` says what is ready."
        ),
        {
            CHAT: {"metric": "concurrency", "target": 4, "max": 1},
            "models[qwen-queue]": GONE,
            "waits": {"service_seconds": 3600},
        },
    ),
    Case(
        "requests_end_before_their_pod",
        "requests that a release cuts off when their pod ends",
        hybrid,
        {"models[qwen-queue].serve.kserve.request_seconds": 26},
        (
            "models[qwen-queue].serve.kserve.request_seconds is 26, but when a pod ends, its "
            "requests have 25 s left, and longer ones are cut off: grace_seconds 31 would do. This "
            "server aborts at SIGTERM what it has in hand (vLLM finishes it from 0.18 on), so "
            "requests have the pause before SIGTERM alone."
        ),
        {
            "models[qwen-queue].serve.kserve.request_seconds": 26,
            "models[qwen-queue].serve.kserve.grace_seconds": 31,
        },
    ),
    Case(
        "requests_end_before_their_pod",
        "requests that outlive the pause and the drain of their pod",
        hybrid,
        {**NEW_IMAGE, "models[qwen-queue].serve.kserve.request_seconds": 100},
        (
            "models[qwen-queue].serve.kserve.request_seconds is 100, but when a pod ends, its "
            "requests have 25 s left, and longer ones are cut off: grace_seconds 115 would do."
        ),
        {
            **NEW_IMAGE,
            "models[qwen-queue].serve.kserve.request_seconds": 100,
            "models[qwen-queue].serve.kserve.grace_seconds": 115,
        },
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
