"""Cases of the rules of `stacks.checks.autoscaling`."""

from typing import Final

from ..environments import GONE, Raw, dev, hybrid, prod, signals
from .cases import Case, surprises
from .parts import CHAT, scale

EMBED: Final = "models[embed].serve.knative"
VAIN: Final = (
    "models[embed].serve.knative may order nodes in vain: one busy second (169 requests, with 1 "
    "ready) wants more replicas for 66 s, and a node of t4, a10-spot takes about 170 s. Give "
    "scale.scale_down_delay_seconds 106 or more to wait for it, or scale.panic_threshold_percent "
    "300 or more to pass over short bursts."
)


SIGNALS_CHAT: Final = "models[chat].serve.kserve.scale"
BATCH = "models[batch].serve.kserve.scale"
WINDOW: Final = f"{BATCH}.keda.schedule.windows[0].replicas"
TEN: Final[Raw] = {  # replicas at the least
    f"{BATCH}.min": 10,
    f"{BATCH}.max": 30,
    f"{BATCH}.keda.polling_seconds": GONE,
    f"{BATCH}.keda.cooldown_seconds": GONE,
}
DAY: Final = {"start": "0 8 * * 1-5", "end": "0 20 * * 1-5", "replicas": 3}
WINDOWS: Final = "models[chat].serve.kserve.scale.keda.schedule.windows"
SURPRISES = [
    Case(
        "windows_count_at_some_time",
        "a window within a higher one",
        signals,
        {WINDOWS: [DAY, {"start": "0 10 * * 5", "end": "0 12 * * 5", "replicas": 2}]},
        (
            f"{WINDOWS}[1] is 0 10 * * 5 to 0 12 * * 5, and all that time windows[0] is open, "
            "which asks for 3 replicas: with 2 it changes nothing."
        ),
        # A peak within hours of less, and windows that share some hours.
        {
            WINDOWS: [
                DAY,
                {"start": "0 10 * * 5", "end": "0 12 * * 5", "replicas": 5},
                {"start": "0 18 * * 1-5", "end": "0 23 * * 1-5", "replicas": 2},
            ]
        },
    ),
    Case(
        "windows_count_at_some_time",
        "the same window twice, over the new year",
        signals,
        {
            WINDOWS: [
                {"start": "0 22 * * *", "end": "0 2 * * *", "replicas": 3},
                {"start": "0 23 31 12 *", "end": "0 1 1 1 *", "replicas": 3},
            ]
        },
        (
            f"{WINDOWS}[1] is 0 23 31 12 * to 0 1 1 1 *, and all that time windows[0] is open, "
            "which asks for 3 replicas: with 3 it changes nothing."
        ),
        {
            WINDOWS: [
                {"start": "0 22 * * *", "end": "0 2 * * *", "replicas": 3},
                {"start": "0 23 31 12 *", "end": "0 3 1 1 *", "replicas": 3},
            ]
        },
    ),
    Case(
        "windows_are_above_the_tolerance",
        "a window that brings no replica",
        signals,
        {**TEN, WINDOW: 11},
        (
            f"{WINDOW} is 11, and {BATCH}.min 10: an HPA leaves alone what is within 10 %, so that "
            "with 10 replicas the window brings none. Give 12 or more."
        ),
        {**TEN, WINDOW: 12},
    ),
    Case(
        "windows_are_above_the_tolerance",
        "a window that brings none on top of nineteen",
        signals,
        {**TEN, f"{BATCH}.min": 19, WINDOW: 20},
        (
            f"{WINDOW} is 20, and {BATCH}.min 19: an HPA leaves alone what is within 10 %, so that "
            "with 19 replicas the window brings none. Give 21 or more."
        ),
        {**TEN, f"{BATCH}.min": 9, WINDOW: 10},
    ),
    Case(
        "windows_are_above_the_tolerance",
        "a window that brings none before Kubernetes 1.33 either",
        signals,
        {**TEN, f"{BATCH}.min": 20, WINDOW: 21, "cluster.version": "1.32.9-aliyun.1"},
        (
            f"{WINDOW} is 21, and {BATCH}.min 20: an HPA leaves alone what is within 10 %, so that "
            "with 20 replicas the window brings none. Give 22 or more."
        ),
        {**TEN, f"{BATCH}.min": 20, WINDOW: 22, "cluster.version": "1.32.9-aliyun.1"},
    ),
    Case(
        "nodes_come_while_they_are_wanted",
        "a node that a burst orders, which comes when the burst is over",
        prod,
        {},
        VAIN,
        {f"{EMBED}.scale.scale_down_delay_seconds": 106},
    ),
    Case(
        "nodes_come_while_they_are_wanted",
        "a threshold that is the same for one replica",
        prod,
        {f"{EMBED}.scale.panic_threshold_percent": 200},
        VAIN,
        {f"{EMBED}.scale.panic_threshold_percent": 201},
    ),
    Case(
        "nodes_come_while_they_are_wanted",
        "a burst for which there are not enough nodes at all times",
        prod,
        {},
        VAIN,
        {"pools[t4].autoscale.min": 2},
    ),
    Case(
        "nodes_come_while_they_are_wanted",
        "a burst with a replica more to be had",
        prod,
        {},
        VAIN,
        {f"{EMBED}.scale.max": 1},
    ),
    Case(
        "nodes_come_while_they_are_wanted",
        "a burst with a short window",
        prod,
        {f"{EMBED}.scale.window_seconds": 154},
        VAIN.replace("169", "421").replace("66 s", "169 s").replace("106", "3"),
        {f"{EMBED}.scale.window_seconds": 155},
    ),
    Case(
        "nodes_come_while_they_are_wanted",
        "a node that a burst orders by KServe",
        hybrid,
        {CHAT: scale("concurrency", 2), "models[qwen-chat].placement.pools": ["elastic"]},
        (
            "models[qwen-chat].serve.kserve may order nodes in vain: one busy second (9 requests "
            "in hand, with 1 ready) wants more replicas for 66 s, and a node of elastic takes "
            "about 170 s. Give the annotation autoscaling.knative.dev/scale-down-delay 106s or "
            "more to wait for it, or the annotation "
            "autoscaling.knative.dev/panic-threshold-percentage 300 or more to pass over short "
            "bursts."
        ),
        # How many machines an IDC has is not known.
        {CHAT: scale("concurrency", 2)},
    ),
    Case(
        "bursts_are_seen",
        "a window of which a tenth is rounded to a second",
        dev,
        {"models[qwen].serve.knative.scale.window_seconds": 14},
        (
            "models[qwen].serve.knative averages over 14 s, and sees bursts in 10 % of that, "
            "rounded to 1 s: Knative looks every 2 s, so it misses the bursts of every other "
            "second. Give scale.window_seconds 15 or more, or scale.panic_window_percent 11 or "
            "more."
        ),
        {"models[qwen].serve.knative.scale.window_seconds": 15},
    ),
    Case(
        "bursts_are_seen",
        "a share of the window that is rounded to a second",
        dev,
        {"models[qwen].serve.knative.scale.panic_window_percent": 2},
        (
            "models[qwen].serve.knative averages over 60 s, and sees bursts in 2 % of that, "
            "rounded to 1 s: Knative looks every 2 s, so it misses the bursts of every other "
            "second. Give scale.window_seconds 75 or more, or scale.panic_window_percent 3 or "
            "more."
        ),
        {"models[qwen].serve.knative.scale.panic_window_percent": 3},
    ),
    Case(
        "starts_take_their_time",
        "a start that is cut off before it is done",
        dev,
        {"models[qwen].cache": GONE, "models[qwen].serve.knative.startup_seconds": 238},
        (
            "models[qwen].serve.knative.startup_seconds is 238, but without a cache a start is "
            "estimated at 239 s (11Gi at 0.16 GiB/s, and a new node): it may never finish."
        ),
        {"models[qwen].cache": GONE, "models[qwen].serve.knative.startup_seconds": 239},
    ),
    Case(
        "starts_take_their_time",
        "a start by KServe that is cut off before it is done",
        hybrid,
        {"models[qwen-chat].serve.kserve.startup_seconds": 238},
        (
            "models[qwen-chat].serve.kserve.startup_seconds is 238, but without a cache a start "
            "is estimated at 239 s (11Gi at 0.16 GiB/s, and a new node): it may never finish."
        ),
        {"models[qwen-chat].serve.kserve.startup_seconds": 239},
    ),
    Case(
        "models_outlast_their_start",
        "a pause shorter than a start",
        signals,
        {BATCH + ".keda.cooldown_seconds": 50},
        (
            "models[batch].serve.kserve.scale.keda.cooldown_seconds is 50, but a start is "
            "estimated at 62 s: a pause of 50 s between two users costs the second one a whole "
            "start. Give 62 or more."
        ),
        {BATCH + ".keda.cooldown_seconds": 900},
    ),
    Case(
        "replicas_that_load_are_kept",
        "a latency that lets go of what still starts",
        signals,
        {SIGNALS_CHAT + ".scale_down_seconds": 30},
        (
            "models[chat].serve.kserve.scale.scale_down_seconds is 30, but a start is estimated "
            "at 94 s: vllm_time_to_first_token_p95 wants so many times the replicas that are "
            "ready, fewer than there are while others start, and those go before they have "
            "served. Give 94 or more."
        ),
        {SIGNALS_CHAT + ".scale_down_seconds": 94},
    ),
    Case(
        "updates_wait_for_all_replicas",
        "an update that waits for one start of three",
        dev,
        {
            "waits": {"service_seconds": 5399},
            "models[qwen].serve.knative.scale": {"min": 3, "max": 3, "target": 2},
        },
        (
            "waits.service_seconds is 5399, but models[qwen] may take 5400 s: 3 starts of "
            "models[qwen].serve.knative.startup_seconds (1800), since it is ready only with all "
            "of scale.min and nodes may come one after another. An update would give up on a "
            "model that comes up."
        ),
        {
            "waits": {"service_seconds": 5400},
            "models[qwen].serve.knative.scale": {"min": 3, "max": 3, "target": 2},
        },
    ),
    Case(
        "updates_wait_for_all_replicas",
        "an update that waits for less than one start",
        dev,
        {"waits": {"service_seconds": 1799}, "models[qwen].serve.knative.scale.min": 2},
        (
            "waits.service_seconds is 1799, but models[qwen] may take 1800 s: "
            "models[qwen].serve.knative.startup_seconds allows a start 1800. An update would give "
            "up on a model that comes up."
        ),
        {"waits": {"service_seconds": 1800}, "models[qwen].serve.knative.scale.min": 2},
    ),
]


test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
