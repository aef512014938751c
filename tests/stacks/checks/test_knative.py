"""Cases of the rules of `stacks.runtimes.knative` and `stacks.platforms.knative`."""

from ..environments import GONE, dev, existing, hybrid
from .cases import Case, refusals, surprises
from .parts import CHAT, at_port, scale

LIMIT = "models[qwen].serve.knative.concurrency_limit"
CASES = [
    Case(
        "knative_runs_on_the_kubernetes",
        "a Kubernetes that ACK's Knative does not run on",
        dev,
        {"cluster.version": "1.27.8-aliyun.1"},
        (
            "cluster.version is '1.27.8-aliyun.1', but it must be 1.28 or later: ACK's Knative "
            "add-on needs it."
        ),
        {"cluster.version": "1.28.3-aliyun.1"},
    ),
    Case(
        "knative_runs_on_the_kubernetes",
        "a Kubernetes that Knative's release does not run on",
        existing,
        {"cluster.version": "1.33"},
        ("cluster.version is '1.33', but it must be 1.34 or later: Knative Serving 1.23 needs it."),
        {"cluster.version": "1.33", "knative": {"version": "1.21"}},
    ),
    Case(
        "knative_release_is_served",
        "a Knative release that the operator does not install",
        existing,
        {"knative": {"version": "1.19"}},
        (
            "knative.version is '1.19', but it must be one of 1.20, 1.21, 1.22, 1.23, or a patch "
            "of theirs up to 1.20.3, 1.21.3, 1.22.1, 1.23.0: these are the releases that the "
            "pinned Knative operator installs."
        ),
        {"knative": {"version": "1.20"}},
    ),
    Case(
        "knative_release_is_served",
        "a patch that the operator does not have",
        existing,
        {"knative": {"version": "1.22.2"}},
        (
            "knative.version is '1.22.2', but it must be one of 1.20, 1.21, 1.22, 1.23, or a patch "
            "of theirs up to 1.20.3, 1.21.3, 1.22.1, 1.23.0: these are the releases that the "
            "pinned Knative operator installs."
        ),
        {"knative": {"version": "1.22.1"}},
    ),
    Case(
        "knative_runs_on_the_kubernetes",
        "the same floor for a patch",
        existing,
        {"cluster.version": "1.33", "knative": {"version": "1.22.1"}},
        ("cluster.version is '1.33', but it must be 1.34 or later: Knative Serving 1.22 needs it."),
        {"cluster.version": "1.33", "knative": {"version": "1.21.3"}},
    ),
    Case(
        "enough_nodes_carry_knative",
        "fewer nodes than Knative wants",
        dev,
        {"pools[system].size": 0, "pools[a10].size": 0},
        (
            "pools is 2 nodes at the least, but it must be 3 nodes or more, over all pools: ACK "
            "installs Knative only on that many."
        ),
        {"pools[system].size": 1, "pools[a10].size": 0},
    ),
    Case(
        "requests_end_in_time",
        "longer requests than the cluster allows",
        dev,
        {"models[qwen].serve.knative.request_seconds": 601},
        (
            "models[qwen].serve.knative.request_seconds is 601, but it must be at most "
            "knative.max_request_seconds (600): Knative's webhook refuses longer requests."
        ),
        {
            "models[qwen].serve.knative.request_seconds": 900,
            "knative": {"max_request_seconds": 900},
        },
    ),
    Case(
        "reserved_names_are_free",
        "a port of Knative's own",
        dev,
        {"models[qwen].server.port": 8012},
        (
            "models[qwen].server.port is 8012, but it must be none of 8008, 8012, 8013, 8022, "
            "9090, 9091: Knative's queue-proxy has it."
        ),
        {"models[qwen].server.port": 8000},
    ),
    Case(
        "reserved_names_are_free",
        "a variable that Knative sets",
        dev,
        {"models[qwen].server.env": {"PORT": "80"}},
        (
            "models[qwen].server.env.PORT is set, but it must be left out: Knative sets this "
            "variable itself."
        ),
        {"models[qwen].server.env": {"PORTS": "80"}},
    ),
    Case(
        "reserved_names_are_free",
        "a port of Knative's own below KServe",
        hybrid,
        {CHAT: scale("concurrency", 2), **at_port(8012)},
        (
            "models[qwen-chat].server.port is 8012, but it must be none of 8008, 8012, 8013, 8022,"
            " 9090, 9091: Knative's queue-proxy has it."
        ),
        {**at_port(8012)},
    ),
    Case(
        "reserved_names_are_free",
        "a variable that Knative sets below KServe",
        hybrid,
        {CHAT: scale("concurrency", 2), "models[qwen-chat].server.env": {"PORT": "80"}},
        (
            "models[qwen-chat].server.env.PORT is set, but it must be left out: Knative sets this "
            "variable itself."
        ),
        {"models[qwen-chat].server.env": {"PORT": "80"}},
    ),
    Case(
        "ahpa_is_there",
        "a class of autoscaler that nobody answers to",
        dev,
        {"models[qwen].serve.knative.scale.ahpa": {"strategy": "observer"}},
        (
            "ahpa is False, but it must be true, once ACK's AHPA Controller is installed: "
            "models[qwen].serve.knative.scale.ahpa is given, and nobody else scales that class."
        ),
        {"models[qwen].serve.knative.scale.ahpa": {"strategy": "observer"}, "ahpa": True},
    ),
    Case(
        "Scale",
        "the time of requests without AHPA",
        dev,
        {"models[qwen].serve.knative.scale.metric": "rt"},
        (
            "models[qwen].serve.knative.scale.metric is 'rt', but it must be concurrency or rps, "
            "or ahpa given: Knative's own autoscaler knows no time of requests."
        ),
        {
            "models[qwen].serve.knative.scale.metric": "rt",
            "models[qwen].serve.knative.scale.ahpa": {},
            "ahpa": True,
        },
    ),
    Case(
        "Scale",
        "AHPA without a target",
        dev,
        {
            "models[qwen].serve.knative.scale.target": GONE,
            "models[qwen].serve.knative.scale.ahpa": {},
            "ahpa": True,
        },
        (
            "models[qwen].serve.knative.scale.target is missing, but it must be given with ahpa: "
            "Knative's default is not AHPA's."
        ),
        {"models[qwen].serve.knative.scale.ahpa": {}, "ahpa": True},
    ),
    Case(
        "Scale",
        "a window of Knative's own autoscaler beside AHPA",
        dev,
        {
            "models[qwen].serve.knative.scale.window_seconds": 60,
            "models[qwen].serve.knative.scale.ahpa": {},
            "ahpa": True,
        },
        (
            "models[qwen].serve.knative.scale.window_seconds is 60, but it must be left out with "
            "ahpa: it is a setting of Knative's own autoscaler, which does not scale."
        ),
        {"models[qwen].serve.knative.scale.window_seconds": 60},
    ),
    Case(
        "reserve_instances_are_offered",
        "a reserve instance where ACK's Knative is not",
        existing,
        {"models[qwen].serve.knative.reserve": {}},
        (
            "models[qwen].serve.knative.reserve is given, but it must be left out; scale.min of "
            "1 keeps a replica instead: only ACK's Knative has reserve instances."
        ),
        {"models[qwen].serve.knative.scale.min": 1},
    ),
    Case(
        "reserve_instances_are_offered",
        "a reserve instance on a virtual node that is not there",
        dev,
        {"models[qwen].serve.knative.reserve": {"type": "eci"}},
        (
            "models[qwen].serve.knative.reserve.type is 'eci', but it must be 'ecs', or "
            "ack-virtual-node added under cluster.addons: ECI and ACS run on a virtual node."
        ),
        {
            "models[qwen].serve.knative.reserve": {"type": "eci"},
            "cluster.addons": [{"name": "ack-virtual-node"}],
        },
    ),
]

SCALE = "models[qwen].serve.knative.scale"
PARTED = (
    "models[qwen].serve.knative.concurrency_limit is {limit}: with a limit, Knative's activators "
    "share out the replicas, where there are several of them, and a request may wait for a busy "
    "replica beside an idle one. Where the server queues by itself, as vLLM does, leave it "
    "out{instead}."
)
SURPRISES = [
    Case(
        "retention_is_of_models_that_go",
        "a time for the last replica of a model that keeps one",
        dev,
        {f"{SCALE}.zero_retention_seconds": 600},
        (
            f"{SCALE}.zero_retention_seconds is 600, and scale.min is 1: it is how long the last "
            "replica stays before there is none, and so many always stay. Leave it out, or give "
            "scale.min 0."
        ),
        {f"{SCALE}.zero_retention_seconds": 600, f"{SCALE}.min": 0},
    ),
    Case(
        "reserve_instances_answer",
        "a reserve instance beside a replica that always stays",
        dev,
        {"models[qwen].serve.knative.reserve": {"type": "ecs"}},
        (
            "models[qwen].serve.knative.reserve is given, and scale.min is 1: a reserve instance "
            "answers while there is no replica, and so many always stay. Leave it out, or give "
            "scale.min 0."
        ),
        {
            "models[qwen].serve.knative.reserve": {"type": "ecs"},
            "models[qwen].serve.knative.scale.min": 0,
        },
    ),
    Case(
        "limits_part_the_pods",
        "a limit of several replicas",
        dev,
        {LIMIT: 4},
        PARTED.format(limit=4, instead=", with scale.target 2"),
        {LIMIT: 4, f"{SCALE}.max": 1},
    ),
    Case(
        "limits_part_the_pods",
        "a limit below the target, and the same without one",
        dev,
        {LIMIT: 1},
        PARTED.format(limit=1, instead=", with scale.target 1"),
        {f"{SCALE}.target": 1},
    ),
    Case(
        "limits_part_the_pods",
        "a limit beside a target of another kind",
        dev,
        {LIMIT: 4, f"{SCALE}.metric": "rps"},
        PARTED.format(limit=4, instead=""),
        {f"{SCALE}.metric": "rps"},
    ),
    Case(
        "ahpa_is_taken",
        "AHPA below a Knative that may be anybody's",
        existing,
        {"models[qwen].serve.knative.scale.ahpa": {}, "ahpa": True},
        (
            "models[qwen].serve.knative.scale.ahpa is given, and only ACK's Knative takes its "
            "class: the webhook of any other refuses ahpa.autoscaling.knative.dev."
        ),
        {"ahpa": True},
    ),
]

test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
