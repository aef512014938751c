"""Cases of the rules of `stacks.checks.server`."""

from typing import Final

import pytest

from ..environments import Raw, dev, existing, hybrid, merged, warnings
from .cases import Case, refusals, surprises
from .parts import BIG_NODES, started

MOUNTED: Final = "/mnt/models/qwen"
DOWNLOAD: Final = ("--download-dir", "/mnt/models/Qwen/hub")
ADAPTERS: Final = ("--enable-lora", "--lora-modules")
LORA: Final = "/mnt/models/Qwen-7B-Chat-Int8/lora/sql"

CLAIM: Raw = {"name": "cache", "mount_path": "/cache", "claim": "compiled", "writable": True}
COMPILED: Raw = {
    "models[qwen].server.image": "registry/vllm:0.8.5",
    "models[qwen].server.vllm.compile_cache": "/cache/vllm",
}


SERVE: Final = ["sglang", "serve"]
OPEN: Final = ["--host", "0.0.0.0"]  # noqa: S104
SGLANG: Raw = {
    "models[qwen].server.image": "registry/sglang:v0.5.23",
    "models[qwen].server.vllm": None,
    "models[qwen].server.port": 30000,
}
KEYED: Raw = {"models[qwen].server.image": "registry/vllm:0.28.0"}
NEW: Final = {"VLLM_LOGGING_LEVELS": "1"}
BACKEND: Final = {"VLLM_ATTENTION_BACKEND": "FLASHINFER"}


HIDDEN = "a mount hides what the image has there, of which its programs are made"

CASES = [
    *(
        Case(
            "replicas_have_their_nodes",
            f"a copy of the model among others that are not there: {words[-1]}",
            existing,
            {
                "models[qwen].server.image": "registry/vllm:0.19.0",
                "models[qwen].server.vllm.extra_args": ["--data-parallel-size", "4", *words],
            },
            (
                "models[qwen].server.vllm.extra_args is one with --data-parallel-size 4 and "
                f"{said}, but it must be one whose copies are all in this pod, or "
                "models[qwen].serve.leader_worker: a replica of knative is one pod, which waits "
                "for the others for good."
            ),
            {},
        )
        for words, said in (
            (["--data-parallel-rank", "0"], "--data-parallel-rank"),
            (["--data-parallel-external-lb"], "--data-parallel-external-lb"),
            (["--data-parallel-size-local", "1"], "--data-parallel-size-local 1"),
        )
    ),
    Case(
        "engines_run_on_the_cards",
        "SGLang on a card that it has no code for",
        existing,
        {
            **SGLANG,
            "models[qwen].server.command": [*SERVE, "/mnt/models/qwen", *OPEN],
            "nodes[gpu].gpu": "V100",
        },
        (
            "models[qwen].server.command is SGLang, but it must be another server, or placed "
            "without pool gpu: SGLang needs compute capability 7.5, V100 has 7.0."
        ),
        {
            **SGLANG,
            "models[qwen].server.command": [*SERVE, "/mnt/models/qwen", *OPEN],
            "nodes[gpu].gpu": "T4",
        },
    ),
    Case(
        "replicas_have_their_nodes",
        "two nodes of SGLang for a replica that is one pod",
        existing,
        {
            **SGLANG,
            "models[qwen].server.command": [*SERVE, "/mnt/models/qwen", *OPEN, "--nnodes", "2"],
        },
        (
            "models[qwen].server.command is one with --nnodes 2, but it must be one without, or "
            "models[qwen].serve.leader_worker with nodes 2: a replica of knative is one pod, which "
            "waits for the others for good."
        ),
        {
            **SGLANG,
            "models[qwen].server.command": [*SERVE, "/mnt/models/qwen", *OPEN, "--nnodes", "1"],
        },
    ),
    *(
        Case(
            title,
            f"{path} over the programs of the image",
            dev,
            {field: value},
            f"{named} is {path!r}, but it must be another folder, e.g. below /mnt: {HIDDEN}.",
            {},
        )
        for title, field, named, path, value in (
            (
                "ModelServer",
                "models[qwen].server.mount_path",
                "models[qwen].server.mount_path",
                "/usr/",
                "/usr/",
            ),
            (
                "MountedVolume",
                "models[qwen].volumes",
                "models[qwen].volumes[a].mount_path",
                "/lib",
                [{"name": "a", "mount_path": "/lib", "empty_dir": {}}],
            ),
            (
                "CheckpointSection",
                "training[finetune].checkpoint.mount_path",
                "training[finetune].checkpoint.mount_path",
                "/usr/local/lib",
                "/usr/local/lib",
            ),
        )
    ),
    Case(
        "replicas_have_their_nodes",
        "two nodes for a replica that is one pod",
        existing,
        {
            "models[qwen].server.image": "registry/vllm:0.19.0",
            "models[qwen].server.vllm.extra_args": ["--nnodes", "2"],
        },
        (
            "models[qwen].server.vllm.extra_args is one with --nnodes 2, but it must be left out, "
            "or models[qwen].serve.leader_worker with nodes 2: a replica of knative is one pod, "
            "which waits for the others for good."
        ),
        {
            "models[qwen].server.image": "registry/vllm:0.19.0",
            "models[qwen].server.vllm.extra_args": ["--nnodes", "1"],
        },
    ),
    Case(
        "paths_are_mounted",
        "an adapter in a folder that nothing is mounted at",
        dev,
        {"models[qwen].server.vllm.extra_args": [*ADAPTERS, "sql=/mnt/lora/sql"]},
        (
            "models[qwen].server.vllm.extra_args is '/mnt/lora/sql', but it must be below "
            "/mnt/models/Qwen-7B-Chat-Int8: --lora-modules reads it, and nothing else is mounted."
        ),
        {"models[qwen].server.vllm.extra_args": [*ADAPTERS, f"sql={LORA}", "b=hub/lora"]},
    ),
    Case(
        "paths_are_mounted",
        "a model in another folder than its own",
        hybrid,
        {"models[qwen-chat].server.command": started("/mnt/models/Qwen2")},
        (
            "models[qwen-chat].server.command is '/mnt/models/Qwen2', but it must be below "
            "/mnt/models/Qwen: --model reads it, and nothing else is mounted."
        ),
        {"models[qwen-chat].server.command": started("/mnt/models/Qwen/2")},
    ),
    Case(
        "caches_are_written_elsewhere",
        "a cache among files that are mounted read-only",
        existing,
        {"models[qwen].server.env": {"VLLM_CACHE_ROOT": f"{MOUNTED}/cache"}},
        (
            f"models[qwen].server.env[VLLM_CACHE_ROOT] is '{MOUNTED}/cache', but it must be a "
            "folder outside of the mounts, e.g. below /tmp: vLLM writes there, and the model's "
            "files are mounted read-only."
        ),
        {"models[qwen].server.env": {"VLLM_CACHE_ROOT": "/tmp/cache"}},  # noqa: S108
    ),
    Case(
        "caches_are_written_elsewhere",
        "a download among files that are mounted read-only",
        hybrid,
        {"models[qwen-chat].server.command": started("Qwen/Qwen2-7B", *DOWNLOAD)},
        (
            "models[qwen-chat].server.command is '/mnt/models/Qwen/hub', but it must be a folder "
            "outside of the mounts, e.g. below /tmp: vLLM writes there, and the model's files are "
            "mounted read-only."
        ),
        {"models[qwen-chat].server.command": started("/mnt/models/Qwen", *DOWNLOAD)},
    ),
    Case(
        "caches_are_written_elsewhere",
        "compiled kernels on a claim that is mounted read-only",
        dev,
        {**COMPILED, "models[qwen].volumes": [{**CLAIM, "writable": False}]},
        (
            "models[qwen].server.vllm.compile_cache is '/cache/vllm', but it must be a folder "
            "outside of the mounts, e.g. below /tmp: vLLM writes there, and the model's files are "
            "mounted read-only."
        ),
        {**COMPILED, "models[qwen].volumes": [CLAIM]},
    ),
    Case(
        "paths_are_mounted",
        "an adapter of the list in a folder that nothing is mounted at",
        dev,
        {"models[qwen].server.vllm.lora": {"adapters": [{"name": "sql", "path": "/mnt/lora/sql"}]}},
        (
            "models[qwen].server.vllm.lora.adapters is '/mnt/lora/sql', but it must be below "
            "/mnt/models/Qwen-7B-Chat-Int8: --lora-modules reads it, and nothing else is mounted."
        ),
        {
            "models[qwen].server.vllm.lora": {"adapters": [{"name": "sql", "path": "/cache/sql"}]},
            "models[qwen].volumes": [CLAIM],
        },
    ),
    Case(
        "paths_are_mounted",
        "a model of another server in another folder than its own",
        existing,
        {**SGLANG, "models[qwen].server.command": [*SERVE, "/models/qwen", *OPEN]},
        (
            f"models[qwen].server.command is '/models/qwen', but it must be below {MOUNTED}: the "
            "server reads it, and nothing else is mounted."
        ),
        {**SGLANG, "models[qwen].server.command": [*SERVE, MOUNTED, *OPEN]},
    ),
    Case(
        "engine_faults",
        "a server that listens to itself alone",
        existing,
        {**SGLANG, "models[qwen].server.command": [*SERVE, MOUNTED]},
        (
            "models[qwen].server.command is one without --host, by which SGLang listens at "
            "127.0.0.1, but it must be one with --host 0.0.0.0: neither a probe nor the Service "
            "reaches a loopback address: the pod never is ready."
        ),
        {**SGLANG, "models[qwen].server.command": [*SERVE, MOUNTED, *OPEN]},
    ),
    Case(
        "processes_see_the_cards_of_their_pod",
        "a container that would see the cards of all pods",
        existing,
        {"models[qwen].server.env": {"NVIDIA_VISIBLE_DEVICES": "all"}},
        (
            "models[qwen].server.env[NVIDIA_VISIBLE_DEVICES] is 'all', but it must be left out: "
            "the container would see cards of other pods: the device plugin sets it to those that "
            "the pod was given."
        ),
        {"models[qwen].server.env": {"NVIDIA_VISIBLE_DEVICES": "none"}},
    ),
    Case(
        "processes_see_the_cards_of_their_pod",
        "a training job that sees no card",
        dev,
        {"training[finetune].env": {"CUDA_VISIBLE_DEVICES": "1,0"}},
        (
            "training[finetune].env[CUDA_VISIBLE_DEVICES] is '1,0', but it must be left out, or 0: "
            "resources.gpus is 1, and the program would see 0."
        ),
        {"training[finetune].env": {"CUDA_VISIBLE_DEVICES": "0,1"}},
    ),
]
OTHER: Final[Raw] = {
    "command": ["sglang", "serve", "--model-path", "/mnt/models/qwen", "--host", "::"],
    "mount_path": "/mnt/models/qwen",
    "port": 30000,
    "resources": {"cpu": "4", "memory": "24Gi"},
}
SURPRISES = [
    Case(
        "clients_reach_beyond_their_pod",
        "a proxy on one's own machine",
        dev,
        {"models[qwen].server.env": {"https_proxy": "http://127.0.0.1:7890"}},
        (
            "models[qwen].server.env[https_proxy] is http://127.0.0.1:7890: in a pod that is the "
            "pod itself, where nothing listens unless something puts a container beside the "
            "server. Write the address of a machine or a Service, or leave it out."
        ),
        {"models[qwen].server.env": {"https_proxy": "http://10.0.0.9:7890"}},
    ),
    Case(
        "clients_reach_beyond_their_pod",
        "a hub at a sidecar that is not there",
        existing,
        {"models[qwen].server.env": {"HF_ENDPOINT": "http://localhost:8090"}},
        (
            "models[qwen].server.env[HF_ENDPOINT] is http://localhost:8090: in a pod that is the "
            "pod itself, where nothing listens unless something puts a container beside the "
            "server. Write the address of a machine or a Service, or leave it out."
        ),
        {
            "models[qwen].server.env": {"HF_ENDPOINT": "http://localhost:8090"},
            "models[qwen].sidecars": [
                {"name": "mirror", "image": "registry/mirror:1", "cpu": "1", "memory": "1Gi"}
            ],
        },
    ),
    Case(
        "files_are_in_the_image",
        "a variable with a file that is in no volume",
        existing,
        {"models[qwen].server.env": {"LMCACHE_CONFIG_FILE": "/config/lmcache.yaml"}},
        (
            "models[qwen].server.env has LMCACHE_CONFIG_FILE /config/lmcache.yaml, which lies "
            "below no mount: it starts only if the image has that."
        ),
        {"models[qwen].server.env": {"LMCACHE_CONFIG_FILE": f"{MOUNTED}/lmcache.yaml"}},
    ),
    Case(
        "images_have_the_server_that_is_started",
        "flags of vLLM for an image of another server",
        existing,
        {"models[qwen].server.image": "lmsysorg/sglang:v0.5.5"},
        (
            "models[qwen].server.image is lmsysorg/sglang:v0.5.5, by its name SGLang, and "
            "server.vllm starts vLLM: the container ends at once unless the image has both. Take "
            "an image of vLLM, or the command of SGLang."
        ),
        {"models[qwen].server.image": "registry/sglang-and-vllm:v0.5.5"},
    ),
    Case(
        "images_have_the_server_that_is_started",
        "a command of another server for an image of vLLM",
        existing,
        {"models[qwen].server": {**OTHER, "image": "registry/vllm:0.19.0"}},
        (
            "models[qwen].server.image is registry/vllm:0.19.0, by its name vLLM, and "
            "server.command starts SGLang: the container ends at once unless the image has both. "
            "Take an image of SGLang, or the command of vLLM."
        ),
        {"models[qwen].server": {**OTHER, "image": "registry/sglang:v0.5.5"}},
    ),
    Case(
        "variables_are_read",
        "a variable that the release reads no more",
        existing,
        {"models[qwen].server.image": "registry/vllm:0.15.0", "models[qwen].server.env": BACKEND},
        (
            "models[qwen].server.env[VLLM_ATTENTION_BACKEND] sets VLLM_ATTENTION_BACKEND, which "
            "vLLM 0.15.0 does not read: 0.14.1 was the last that did, and --attention-backend "
            "takes its place."
        ),
        {"models[qwen].server.image": "registry/vllm:0.14.1", "models[qwen].server.env": BACKEND},
    ),
    Case(
        "variables_are_read",
        "a variable that a later release is the first to read",
        existing,
        {
            "models[qwen].server.image": "registry/vllm:0.6.6",
            "models[qwen].server.env": {"VLLM_SERVER_DEV_MODE": "1"},
        },
        (
            "models[qwen].server.env[VLLM_SERVER_DEV_MODE] sets VLLM_SERVER_DEV_MODE, which vLLM "
            "0.6.6 does not read: 0.7.0 is the first that does."
        ),
        {
            "models[qwen].server.image": "registry/vllm:0.7.0",
            "models[qwen].server.env": {"VLLM_SERVER_DEV_MODE": "1"},
        },
    ),
    Case(
        "variables_are_read",
        "a variable that is misspelled, and that the release reads no more",
        existing,
        {
            "models[qwen].server.image": "registry/vllm:0.28.0",
            "models[qwen].server.env": {"VLLM_ATENTION_BACKEND": "FLASHINFER"},
        },
        (
            "models[qwen].server.env[VLLM_ATENTION_BACKEND] sets VLLM_ATENTION_BACKEND, which vLLM "
            "0.28.0 does not read: VLLM_ATTENTION_BACKEND may be meant, of which 0.14.1 was the "
            "last that did, and --attention-backend takes its place."
        ),
        {
            "models[qwen].server.image": "registry/vllm:0.28.0",
            "models[qwen].server.vllm.extra_args": ["--attention-backend", "FLASHINFER"],
        },
    ),
    Case(
        "variables_are_read",
        "a variable that is misspelled, and one of a plugin",
        existing,
        {
            "models[qwen].server.image": "registry/vllm:0.28.0",
            "models[qwen].server.env": {"VLLM_LOGING_LEVEL": "DEBUG"},
        },
        (
            "models[qwen].server.env[VLLM_LOGING_LEVEL] sets VLLM_LOGING_LEVEL, which vLLM 0.28.0 "
            "does not read: VLLM_LOGGING_LEVEL may be meant."
        ),
        {
            "models[qwen].server.image": "registry/vllm:0.28.0",
            "models[qwen].server.env": {"VLLM_ASCEND_ENABLE_NZ": "1"},
        },
    ),
    Case(
        "variables_are_read",
        "one that a script sets",
        existing,
        {
            **SGLANG,
            "models[qwen].server.image": "registry/vllm:0.28.0",
            "models[qwen].server.command": [
                "sh",
                "-c",
                f"export VLLM_USE_V1=1; exec vllm serve {MOUNTED} --port 30000",
            ],
        },
        (
            "models[qwen].server.command sets VLLM_USE_V1, which vLLM 0.28.0 does not read: "
            "0.11.0 was the last that did."
        ),
        {},
    ),
    Case(
        "references_are_of_variables",
        "a name that nothing has",
        existing,
        {**KEYED, "models[qwen].server.vllm.extra_args": ["--revision", "$(REVISION)"]},
        (
            "models[qwen].server.vllm.extra_args has $(REVISION) in it, and neither does env have "
            "REVISION nor secret_env name a Secret: unless something else gives the pod that "
            "variable, the text stays as it stands."
        ),
        {
            **KEYED,
            "models[qwen].server.vllm.extra_args": ["--revision", "$(REVISION)"],
            "models[qwen].server.env": {"REVISION": "main"},
        },
    ),
    Case(
        "references_are_of_variables",
        "a key that nothing fills in",
        existing,
        {**KEYED, "models[qwen].server.vllm.extra_args": ["--api-key", "$(KEY)"]},
        (
            "models[qwen].server.vllm.extra_args has $(KEY) in it, and neither does env have KEY "
            "nor secret_env name a Secret: unless something else gives the pod that variable, the "
            "text stays as it stands, and is then the key of --api-key that everybody can guess."
        ),
        {
            **KEYED,
            "models[qwen].server.vllm.extra_args": ["--api-key", "$(KEY)"],
            "models[qwen].server.secret_env": ["keys"],
        },
    ),
    Case(
        "references_are_of_variables",
        "a token in one word with its flag",
        existing,
        {**KEYED, "models[qwen].server.vllm.extra_args": ["--hf_token=$(TOKEN)"]},
        (
            "models[qwen].server.vllm.extra_args has $(TOKEN) in it, and neither does env have "
            "TOKEN nor secret_env name a Secret: unless something else gives the pod that "
            "variable, the text stays as it stands, and is then the key of --hf-token that "
            "everybody can guess."
        ),
        {
            **KEYED,
            "models[qwen].server.vllm.extra_args": ["--api-key", "$(VLLM_API_KEY)"],
            "models[qwen].api_key_secret": "keys",
        },
    ),
    Case(
        "references_are_of_variables",
        "one in a variable, of others that a runtime gives",
        existing,
        {
            **KEYED,
            "models[qwen].server.env": {"A": "$(K_REVISION)-$(POD_IP)", "B": "$(A)", "C": "$$(D)"},
        },
        (
            "models[qwen].server.env[A] has $(POD_IP) in it, and neither does env have POD_IP nor "
            "secret_env name a Secret: unless something else gives the pod that variable, the "
            "text stays as it stands."
        ),
        {**KEYED, "models[qwen].server.env": {"A": "$(K_REVISION)-$(PORT)"}},
    ),
    Case(
        "variables_are_filled_in",
        "a variable as a shell writes it",
        existing,
        {"models[qwen].server.env": {"LD_LIBRARY_PATH": "/opt/lib:$LD_LIBRARY_PATH"}},
        (
            "models[qwen].server.env[LD_LIBRARY_PATH] names $LD_LIBRARY_PATH, which stays as it "
            "stands: Kubernetes fills in $(LD_LIBRARY_PATH) alone, from env and secret_env, and "
            "nothing of the image. Write that, or all that it stands for."
        ),
        {"models[qwen].server.env": {"BASE": "/opt", "A": "$(BASE)/lib", "B": "$$BASE", "C": "a$"}},
    ),
    Case(
        "variables_are_filled_in",
        "one of a training job, in braces",
        dev,
        {"training[finetune].env": {"DATA": "${HOME}/data"}},
        (
            "training[finetune].env[DATA] names ${HOME}, which stays as it stands: Kubernetes "
            "fills in $(HOME) alone, from env and secret_env, and nothing of the image. Write "
            "that, or all that it stands for."
        ),
        {"training[finetune].env": {"DATA": "/data"}},
    ),
    Case(
        "variables_are_filled_in",
        "one of a sidecar",
        existing,
        {
            "models[qwen].sidecars": [
                {"name": "audit", "image": "registry/audit:1", "env": {"TO": "$TARGET"}}
            ]
        },
        (
            "models[qwen].sidecars[audit].env[TO] names $TARGET, which stays as it stands: "
            "Kubernetes fills in $(TARGET) alone, from env and secret_env, and nothing of the "
            "image. Write that, or all that it stands for."
        ),
        {},
    ),
    Case(
        "tensor_parallel_divides_the_heads",
        "layers split over a number that few models have heads for",
        dev,
        {**BIG_NODES, "models[qwen].server.resources.gpus": 3, "models[qwen].volume.path": "/ours"},
        (
            "models[qwen].server splits each layer over 3 cards: vLLM starts only if 3 divides the "
            "attention heads of the model, and those of most are 28, 32, 40 or 64. 1, 2, 4 or 8 "
            "cards do; --pipeline-parallel-size splits by layers instead."
        ),
        {**BIG_NODES, "models[qwen].server.resources.gpus": 4, "models[qwen].volume.path": "/ours"},
    ),
    *(
        Case(
            "tensor_parallel_divides_the_heads",
            f"layers split over a number that {name} has no heads for",
            dev,
            {
                **BIG_NODES,
                "models[qwen].server.resources.gpus": cards,
                "models[qwen].volume.path": f"/{name}",
            },
            (
                f"models[qwen].server splits each layer over {cards} cards: vLLM starts only if "
                f"each gets as many heads, and {name} has {heads}, by its name. {fit} cards do; "
                "--pipeline-parallel-size splits by layers instead."
            ),
            {
                **BIG_NODES,
                "models[qwen].server.resources.gpus": edge,
                "models[qwen].volume.path": f"/{name}",
            },
        )
        for name, cards, edge, heads, fit in (
            ("Qwen2.5-0.5B-Instruct", 4, 2, "14 of attention, and 2 of keys and values", "1 or 2"),
            # 3 divides the first, and not the second.
            ("Llama-3.2-3B", 3, 4, "24 of attention, and 8 of keys and values", "1, 2, 4 or 8"),
        )
    ),
    Case(
        "compiled_kernels_outlive_their_pod",
        "compiled kernels that go with the pod",
        dev,
        {
            **COMPILED,
            "models[qwen].volumes": [{"name": "cache", "mount_path": "/cache", "empty_dir": {}}],
        },
        (
            "models[qwen].server.vllm.compile_cache is /cache/vllm, which goes with the pod: each "
            "new one compiles again. Below a writable entry of volumes with a claim or a store, "
            "the next pod finds what this one compiled."
        ),
        {**COMPILED, "models[qwen].volumes": [CLAIM]},
    ),
    Case(
        "files_are_in_the_image",
        "a template that is in no volume",
        hybrid,
        {"models[qwen-chat].server.command": started("/mnt/models/Qwen", "--chat-template=/t.txt")},
        (
            "models[qwen-chat].server starts vLLM with --chat-template /t.txt, which lies below no "
            "mount: it starts only if the image has that."
        ),
        {
            "models[qwen-chat].server.command": started(
                "/mnt/models/Qwen", "--chat-template=/mnt/models/Qwen/t.txt"
            )
        },
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)


@pytest.mark.parametrize(
    "changes",
    [
        {"models[qwen].server.env": {"A": "$(K_REVISION)-$(PORT)", "B": "$(A)", "C": "$$(D)"}},
        # What the program hostname says.
        {
            "models[qwen].server.vllm": None,
            "models[qwen].server.port": 8000,
            "models[qwen].server.command": ["sh", "-c", f"vllm serve {MOUNTED} --seed $(hostname)"],
        },
        {"models[qwen].server.env": {"C": "a$", "D": "$$NAME", "E": "cost: $5"}},
        # A variable of a plugin, which may be any.
        {"models[qwen].server.env": {"VLLM_ASCEND_LOGGING_LEVELS": "1"}},
        {"models[qwen].server.image": "registry/vllm:0.99.0", "models[qwen].server.env": NEW},
    ],
)
def test_what_may_well_be_there_is_no_warning(changes: Raw):
    raw = merged(existing(), {**KEYED, **changes})
    about = (" has $(", "stays as it stands", "does not read")
    assert not [text for text in warnings(raw) if any(words in text for words in about)]
