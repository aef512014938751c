"""Rules within sections that are arguments of a model, a job or a load test."""

from typing import Final

from ..environments import GONE, Raw, dev, existing, hybrid
from .cases import Case, refusals
from .parts import ASKED, BASE_MODEL, CHAT, ON_DISK, load_test, scale, started

AUTOSCALER: Final = "serving.kserve.io/autoscalerClass"
COUNTED: Raw = {"min": 0, "max": 2, "metric": "concurrency", "target": 2}


SERVER: Final = "models[qwen].server"
VOLUMES: Final = "models[qwen].volumes"
FILES: Raw = {"name": "lora", "mount_path": "/lora", "store": "models", "size": "1Gi"}
SOURCE: Raw = {"modelscope": "Qwen/Qwen2.5-7B-Instruct", "revision": "v1.0.0"}
NO_VOLUME: Raw = {"models[qwen].volume": GONE, "models[qwen].cache": GONE}
TOOLS: Raw = {"name": "tools", "image": "registry/tools:1"}


CASES = [
    Case(
        "ModelSection",
        "a model of nothing",
        dev,
        NO_VOLUME,
        (
            "models[qwen].volume is missing, but it must be given, or else server.vllm.model set "
            "to the name of a model in a hub: the server has nothing to serve."
        ),
        {**NO_VOLUME, f"{SERVER}.vllm.model": "Qwen/Qwen2.5-7B-Instruct-GPTQ-Int8"},
    ),
    Case(
        "ModelSection",
        "a cache of what no store has",
        dev,
        {"models[qwen].volume": GONE, f"{SERVER}.vllm.model": "Qwen/Qwen2.5-7B-Instruct"},
        (
            "models[qwen].cache is given without volume, but it must be left out, or volume given: "
            "a cache is a copy of a store's files."
        ),
        {**NO_VOLUME, f"{SERVER}.vllm.model": "Qwen/Qwen2.5-7B-Instruct"},
    ),
    Case(
        "ModelSection",
        "a hub's model beside a volume",
        dev,
        {f"{SERVER}.vllm.model": "Qwen/Qwen2.5-7B-Instruct"},
        (
            "models[qwen].server.vllm.model is 'Qwen/Qwen2.5-7B-Instruct', but it must be a path "
            "below server.mount_path, or volume left out: the server would download it, and not "
            "read the files of its volume."
        ),
        {f"{SERVER}.vllm.model": "/mnt/models/Qwen-7B-Chat-Int8/int8"},
    ),
    Case(
        "PodVolumeSection",
        "a store's folder without a size",
        dev,
        {VOLUMES: [{**FILES, "size": None}]},
        (
            "models[qwen].volumes[lora].size is missing, but it must be given with store: a claim "
            "is matched to its volume by it."
        ),
        {VOLUMES: [FILES]},
    ),
    Case(
        "PodVolumeSection",
        "a folder of no store",
        dev,
        {VOLUMES: [{"name": "lora", "mount_path": "/lora", "claim": "lora", "path": "/sql"}]},
        (
            "models[qwen].volumes[lora].path is '/sql', but it must be left out without store: it "
            "is of a store's folder."
        ),
        {VOLUMES: [{"name": "lora", "mount_path": "/lora", "claim": "lora"}]},
    ),
    Case(
        "PodVolumeSection",
        "an imported folder that pods write to",
        dev,
        {VOLUMES: [{**FILES, "source": SOURCE, "writable": True}]},
        (
            "models[qwen].volumes[lora].writable is True, but it must be left out with source: its "
            "files are those of their revision."
        ),
        {VOLUMES: [{**FILES, "source": SOURCE}]},
    ),
    Case(
        "MountedVolume",
        "a volume of two sources",
        dev,
        {VOLUMES: [{**FILES, "empty_dir": {}}]},
        (
            "models[qwen].volumes[lora].store is given beside empty_dir, but it must be the only "
            "one of store, claim, empty_dir, config_map, secret: a volume has one source."
        ),
        {VOLUMES: [FILES]},
    ),
    Case(
        "MountedVolume",
        "a volume of nothing",
        dev,
        {VOLUMES: [{"name": "lora", "mount_path": "/lora"}]},
        (
            "models[qwen].volumes[lora].store is missing, but it must be given, or else claim or "
            "empty_dir or config_map or secret: a volume has one source."
        ),
        {VOLUMES: [{"name": "lora", "mount_path": "/lora", "config_map": "templates"}]},
    ),
    Case(
        "MountedVolume",
        "a Secret that is written to",
        dev,
        {VOLUMES: [{"name": "key", "mount_path": "/key", "secret": "key", "writable": True}]},
        (
            "models[qwen].volumes[key].writable is True, but it must be left out with secret: "
            "nobody writes to it."
        ),
        {VOLUMES: [{"name": "key", "mount_path": "/key", "secret": "key"}]},
    ),
    Case(
        "MountedVolume",
        "a key in place of the name of its Secret",
        dev,
        {VOLUMES: [{"name": "key", "mount_path": "/key", "secret": "sk-ABCDEFGHIJKLMNOPQRST"}]},
        (
            "models[qwen].volumes[key].secret is something else, but it must be the name of a "
            "Secret: a-z, 0-9, - and .: no Secret is called otherwise."
        ),
        {VOLUMES: [{"name": "key", "mount_path": "/key", "secret": "audit.key"}]},
    ),
    Case(
        "ModelArgs",
        "a volume over the model",
        dev,
        {VOLUMES: [{**FILES, "mount_path": "/mnt/models/Qwen-7B-Chat-Int8/"}]},
        (
            "models[qwen].volumes[lora].mount_path is '/mnt/models/Qwen-7B-Chat-Int8', but it must "
            "be unique: the model, at server.mount_path, is mounted there."
        ),
        {VOLUMES: [{**FILES, "mount_path": "/mnt/models/lora"}]},
    ),
    Case(
        "ModelArgs",
        "two volumes of one name",
        dev,
        {VOLUMES: [FILES, {"name": "llm-model", "mount_path": "/more", "empty_dir": {}}]},
        (
            "models[qwen].volumes[llm-model].name is 'llm-model', but it must be given to one "
            "volume only: mounts refer to the volume by it."
        ),
        {VOLUMES: [FILES, {"name": "more", "mount_path": "/more", "empty_dir": {}}]},
    ),
    Case(
        "ModelArgs",
        "a sidecar with the name of an init container",
        dev,
        {"models[qwen].init_containers": [TOOLS], "models[qwen].sidecars": [TOOLS]},
        (
            "models[qwen].sidecars[tools].name is 'tools', but it must be another one, which no "
            "container of the pod has: logs are found by it."
        ),
        {
            "models[qwen].init_containers": [TOOLS],
            "models[qwen].sidecars": [{**TOOLS, "name": "more"}],
        },
    ),
    Case(
        "SideContainer",
        "a key of a sidecar in plain",
        dev,
        {"models[qwen].sidecars": [{**TOOLS, "env": {"API_KEY": "anything"}}]},
        (
            "models[qwen].sidecars[tools].env[API_KEY] is set in plain, but it must be left out, "
            "and the key API_KEY of a Secret that secret_env names: whoever may read the stack "
            "file, its state or the pods could use it."
        ),
        {"models[qwen].sidecars": [{**TOOLS, "secret_env": ["audit"]}]},
    ),
    Case(
        "Vllm",
        "an alias that is the name itself",
        dev,
        {f"{SERVER}.vllm.aliases": ["qwen"]},
        (
            "models[qwen].server.vllm.aliases is 'qwen', but it must be a name without blanks, "
            "given once, that begins with no dash: clients put it into `model`."
        ),
        {f"{SERVER}.vllm.aliases": ["qwen2", "chat"]},
    ),
    Case(
        "Vllm",
        "an adapter that is called as its model",
        dev,
        {f"{SERVER}.vllm.lora": {"adapters": [{"name": "qwen", "path": "hub/sql"}]}},
        (
            "models[qwen].server.vllm.lora.adapters[qwen].name is 'qwen', but it must be different "
            "from the names of the model: vLLM answers to it with the model itself."
        ),
        {f"{SERVER}.vllm.lora": {"adapters": [{"name": "sql", "path": "hub/sql"}]}},
    ),
    Case(
        "ImportSource",
        "a folder of two sources",
        dev,
        {"models[qwen].volume.source": {**SOURCE, "huggingface": "Qwen/Qwen-7B"}},
        (
            "models[qwen].volume.source.huggingface is given beside modelscope, but it must be the "
            "only one of huggingface, modelscope, oss, oci: a folder has one source."
        ),
        {"models[qwen].volume.source": SOURCE},
    ),
    Case(
        "ImportSource",
        "a bucket without its region",
        dev,
        {"models[qwen].volume.source": {"oss": "oss://other/qwen", "revision": "1"}},
        (
            "models[qwen].volume.source.region is missing, but it must be given with oss: requests "
            "to a bucket are signed for its region."
        ),
        {
            "models[qwen].volume.source": {
                "oss": "oss://other/qwen",
                "revision": "1",
                "region": "cn-beijing",
            }
        },
    ),
    Case(
        "ImportSource",
        "a token in place of the name of its Secret",
        dev,
        {"models[qwen].volume.source": {**SOURCE, "secret": "hf_ABCDEFGHIJKLMNOPQRST"}},
        (
            "models[qwen].volume.source.secret is something else, but it must be the name of a "
            "Secret: a-z, 0-9, - and .: the keys stay in the cluster."
        ),
        {"models[qwen].volume.source": {**SOURCE, "secret": "hub"}},
    ),
    Case(
        "ImportSource",
        "a repository with its tag",
        dev,
        {"models[qwen].volume.source": {"oci": "ghcr.io/acme/qwen:v1", "revision": "v1"}},
        (
            "models[qwen].volume.source.oci is 'ghcr.io/acme/qwen:v1', but it must be a registry "
            "and a repository without a tag, such as ghcr.io/acme/qwen: the import asks for it."
        ),
        {"models[qwen].volume.source": {"oci": "ghcr.io/acme/qwen", "revision": "v1"}},
    ),
    Case(
        "ImportSource",
        "a sum that is none",
        dev,
        {"models[qwen].volume.source": {**SOURCE, "sha256": {"config.json": "abc"}}},
        (
            "models[qwen].volume.source.sha256[config.json] is 'abc', but it must be 64 "
            "hexadecimal digits: the file is held against it."
        ),
        {"models[qwen].volume.source": {**SOURCE, "sha256": {"config.json": "0" * 64}}},
    ),
    Case(
        "ModelServer",
        "a command for more cards than the pod has",
        hybrid,
        {"models[qwen-chat].server.command": started("/mnt/models/Qwen", "-tp=2")},
        (
            "models[qwen-chat].server.command is one that takes 2 cards (tensor 2), but it must be "
            "resources.gpus (1): vLLM starts one worker per card."
        ),
        {"models[qwen-chat].server.command": started("/mnt/models/Qwen", "-tp=1")},
    ),
    Case(
        "KServeServe",
        "a rollout of what Knative serves",
        hybrid,
        {
            "models[qwen-chat].serve.kserve": {"scale": COUNTED, "rollout": {"type": "Recreate"}},
        },
        (
            "models[qwen-chat].serve.kserve.rollout is given, but it must be left out with "
            "concurrency: Knative starts the new revision beside the old one, and knows no other "
            "way."
        ),
        {"models[qwen-chat].serve.kserve.rollout": {"type": "Recreate"}},
    ),
    Case(
        "TrainingJobArgs",
        "a base model mounted over the checkpoint",
        dev,
        {"training[finetune].volume": {**BASE_MODEL, "mount_path": "/checkpoints"}},
        (
            "training[finetune].volume.mount_path is '/checkpoints', but it must be unique: "
            "another volume is mounted there."
        ),
        {"training[finetune].volume": {**BASE_MODEL, "mount_path": "/checkpoints/base"}},
    ),
    Case(
        "TrainingJobArgs",
        "a hub token of a job in plain",
        dev,
        {"training[finetune].env": {"HF_TOKEN": "anything"}},
        (
            "training[finetune].env[HF_TOKEN] is set in plain, but it must be left out, and the "
            "key HF_TOKEN of a Secret that secret_env names: whoever may read the stack file, its "
            "state or the pods could use it."
        ),
        {"training[finetune].secret_env": ["hub"]},
    ),
    Case(
        "TrainingJobArgs",
        "a job name that leaves no room for that of a pod",
        existing,
        {"training[finetune].name": "f" * 58},
        (
            f"training[{'f' * 58}].name is '{'f' * 58}', but it must be 57 long at most, which "
            "leaves room for an index: pods are called after the job."
        ),
        {"training[finetune].name": "f" * 57},
    ),
    Case(
        "ModelServer",
        "a hub token of a model in plain",
        dev,
        {"models[qwen].server.env": {"HF_TOKEN": "anything"}},
        (
            "models[qwen].server.env[HF_TOKEN] is set in plain, but it must be left out, and the "
            "key HF_TOKEN of a Secret that secret_env names: whoever may read the stack file, its "
            "state or the pods could use it."
        ),
        {"models[qwen].server.secret_env": ["hub"]},
    ),
    Case(
        "CacheTier",
        "a cache on a disk that is memory",
        dev,
        {"models[qwen].cache.medium": "SSD"},
        (
            "models[qwen].cache.path is '/dev/shm', but it must be a folder on a disk with medium "
            "SSD, e.g. /var/lib/fluid: /dev/shm is memory, which no pod has asked for."
        ),
        {**ON_DISK, "models[qwen].cache.path": "/data/dev/shm"},
    ),
    Case(
        "KServeScale",
        "KEDA without a query",
        hybrid,
        {CHAT: {**ASKED, "query": None}, "keda": True},
        (
            "models[qwen-chat].serve.kserve.scale.query is missing, but it must be given with "
            "metric prometheus: KEDA asks for it, and for nothing else."
        ),
        {CHAT: ASKED, "keda": True},
    ),
    Case(
        "KServeScale",
        "a query that nothing asks",
        hybrid,
        {CHAT: {**ASKED, "metric": "gpu_utilization"}},
        (
            "models[qwen-chat].serve.kserve.scale.query is given with metric gpu_utilization, but "
            "it must be left out, or metric prometheus: KEDA asks for it, and for nothing else."
        ),
        {CHAT: scale("gpu_utilization", 4)},
    ),
    Case(
        "KServeScale",
        "no replica for an HPA to measure",
        hybrid,
        {f"{CHAT}.min": 0},
        (
            "models[qwen-chat].serve.kserve.scale.min is 0, but it must be 1 or more, or metric "
            "concurrency or prometheus: an HPA cannot scale to 0, since no pod is left to measure."
        ),
        {CHAT: scale("concurrency", 2, min=0)},
    ),
    Case(
        "KServeScale",
        "no replica for KServe's own HPA to measure",
        hybrid,
        {CHAT: scale("cpu", 80, min=0)},
        (
            "models[qwen-chat].serve.kserve.scale.min is 0, but it must be 1 or more, or metric "
            "concurrency or prometheus: an HPA cannot scale to 0, since no pod is left to measure."
        ),
        {CHAT: scale("cpu", 80, min=1)},
    ),
    Case(
        "KServeScale",
        "fewer replicas at most than at least, by KServe",
        hybrid,
        {f"{CHAT}.min": 4},
        (
            "models[qwen-chat].serve.kserve.scale.min is 4, but it must be at most max (3): the "
            "autoscaler needs an ordered range."
        ),
        {f"{CHAT}.min": 3},
    ),
    Case(
        "KServeScale",
        "more than all of a CPU",
        hybrid,
        {CHAT: scale("cpu", 101)},
        (
            "models[qwen-chat].serve.kserve.scale.target is 101.0, but it must be 100 or less: it "
            "is a percentage of the request."
        ),
        {CHAT: scale("cpu", 100)},
    ),
    Case(
        "KServeScale",
        "a part of a percent of a CPU",
        hybrid,
        {CHAT: scale("cpu", 80.5)},
        (
            "models[qwen-chat].serve.kserve.scale.target is 80.5, but it must be a whole number: "
            "KServe takes no other for cpu."
        ),
        {f"{CHAT}.target": 80.5},
    ),
    Case(
        "KServeScale",
        "more than all of a KV cache",
        hybrid,
        {CHAT: scale("vllm_kv_cache_usage", 1.1)},
        (
            "models[qwen-chat].serve.kserve.scale.target is 1.1, but it must be 1 or less: a "
            "replica never reports more, so the model would not scale."
        ),
        {CHAT: scale("vllm_kv_cache_usage", 1)},
    ),
    Case(
        "KServeScale",
        "a window that no autoscaler is told",
        hybrid,
        {CHAT: scale("cpu", 80, scale_down_seconds=60)},
        (
            "models[qwen-chat].serve.kserve.scale.scale_down_seconds is 60, but it must be left "
            "out with cpu: KServe hands it to no autoscaler."
        ),
        {f"{CHAT}.scale_down_seconds": 60},
    ),
    Case(
        "KServeServe",
        "a grace period that Knative does not take",
        hybrid,
        {CHAT: scale("concurrency", 2), "models[qwen-chat].serve.kserve.grace_seconds": 60},
        (
            "models[qwen-chat].serve.kserve.grace_seconds is 60, but it must be left out with "
            "concurrency: Knative gives pods as long as a request may take."
        ),
        {"models[qwen-chat].serve.kserve.grace_seconds": 60},
    ),
    Case(
        "KServeServe",
        "an annotation that says who else scales",
        hybrid,
        {"models[qwen-chat].serve.kserve.annotations": {AUTOSCALER: "hpa"}},
        (
            "models[qwen-chat].serve.kserve.annotations[serving.kserve.io/autoscalerClass] is "
            "'hpa', but it must be left out: scale.metric decides who scales."
        ),
        {"models[qwen-chat].serve.kserve.annotations": {AUTOSCALER: "external"}},
    ),
    Case(
        "Resources",
        "a CPU limit below the request",
        dev,
        {"models[qwen].server.resources.cpu_limit": "15999m"},
        (
            "models[qwen].server.resources.cpu_limit is '15999m', but it must be at least cpu "
            "(16): Kubernetes refuses a limit below the request."
        ),
        {"models[qwen].server.resources.cpu_limit": "16"},
    ),
    Case(
        "ModelServer",
        "a server of two command lines",
        dev,
        {"models[qwen].server.command": ["serve"]},
        (
            "models[qwen].server.vllm is given beside command, but it must be the only one of "
            "vllm, command: the server has one command line."
        ),
        {"models[qwen].server.command": ["serve"], "models[qwen].server.vllm": GONE},
    ),
    Case(
        "ModelServer",
        "shared memory that leaves no memory",
        dev,
        {"models[qwen].server.shared_memory": "64Gi"},
        (
            "models[qwen].server.shared_memory is '64Gi', but it must be less than "
            "resources.memory (64Gi): what a program writes to /dev/shm counts against its "
            "memory limit."
        ),
        {"models[qwen].server.shared_memory": "63Gi"},
    ),
    Case(
        "ModelServer",
        "more workers of vLLM than cards",
        dev,
        {"models[qwen].server.vllm.tensor_parallel_size": 2},
        (
            "models[qwen].server.vllm.tensor_parallel_size is 2, but it must be resources.gpus "
            "(1): vLLM starts one worker per card."
        ),
        {"models[qwen].server.vllm.tensor_parallel_size": 1},
    ),
    Case(
        "Scenario",
        "two ways to load at once",
        dev,
        {"load_tests": [load_test(scenario={"spike": {}, "tide": {"peak_rate": 2}})]},
        (
            "load_tests[spike].scenario.spike is given beside tide, but it must be the only one of "
            "steady, spike, cold_start, tide: a test loads a model in one way."
        ),
        {"load_tests": [load_test(scenario={"spike": {"clients": 1}})]},
    ),
    Case(
        "Steady",
        "neither a rate nor clients",
        dev,
        {"load_tests": [load_test(scenario={"steady": {}})]},
        (
            "load_tests[spike].scenario.steady.rate is missing, but it must be given, or else "
            "clients: arrivals follow the clock or the answers."
        ),
        {"load_tests": [load_test(scenario={"steady": {"rate": 1}})]},
    ),
    Case(
        "Tide",
        "an hour above the highest load",
        dev,
        {"load_tests": [load_test(scenario={"tide": {"peak_rate": 2, "hours": [0.5, 1.1]}})]},
        (
            "load_tests[spike].scenario.tide.hours[1] is 1.1, but it must be between 0 and 1: "
            "peak_rate is the highest load."
        ),
        {"load_tests": [load_test(scenario={"tide": {"peak_rate": 2, "hours": [0.5, 1]}})]},
    ),
    Case(
        "LoadTestArgs",
        "an hour without a request",
        dev,
        {"load_tests": [load_test(scenario={"tide": {"peak_rate": 2, "hours": [0, 1]}})]},
        (
            "load_tests[spike].scenario.tide.hours[0] is 0 requests in 720 s, but it must be 1 "
            "request or more: inference-perf passes over what has none, and the rest would come "
            "too early."
        ),
        {"load_tests": [load_test(scenario={"tide": {"peak_rate": 2, "hours": [0.01, 1]}})]},
    ),
    Case(
        "LoadTestArgs",
        "hey without an image",
        dev,
        {"load_tests": [load_test(generator="hey")]},
        (
            "load_tests[spike].image is missing, but it must be given: nobody publishes an image "
            "of hey."
        ),
        {"load_tests": [load_test(generator="hey", image="registry/hey:1")]},
    ),
    Case(
        "Resources",
        "parts of two cards",
        dev,
        {
            "pools[a10].gpu_sharing": "cgpu",
            "models[qwen].placement.pools": ["a10"],
            "training": [],
            "models[qwen].server.resources": {
                "cpu": "16",
                "memory": "64Gi",
                "gpu_memory": "8Gi",
                "gpus": 2,
            },
        },
        (
            "models[qwen].server.resources.gpus is 2, but it must be left out: gpu_memory asks "
            "for a part of one card, and nothing for parts of several."
        ),
        {
            "pools[a10].gpu_sharing": "cgpu",
            "models[qwen].placement.pools": ["a10"],
            "training": [],
            "models[qwen].server.resources": {
                "cpu": "16",
                "memory": "64Gi",
                "gpu_memory": "8Gi",
                "gpus": 0,
            },
        },
    ),
    Case(
        "Resources",
        "a part that is no number of GiB",
        dev,
        {
            "pools[a10].gpu_sharing": "cgpu",
            "models[qwen].placement.pools": ["a10"],
            "training": [],
            "models[qwen].server.resources": {
                "cpu": "16",
                "memory": "64Gi",
                "gpu_memory": "8500Mi",
            },
        },
        (
            "models[qwen].server.resources.gpu_memory is '8500Mi', but it must be whole GiB, e.g."
            " 8Gi: aliyun.com/gpu-mem is counted in GiB."
        ),
        {
            "pools[a10].gpu_sharing": "cgpu",
            "models[qwen].placement.pools": ["a10"],
            "training": [],
            "models[qwen].server.resources": {
                "cpu": "16",
                "memory": "64Gi",
                "gpu_memory": "8192Mi",
            },
        },
    ),
    Case(
        "Resources",
        "memory and an instance of MIG",
        dev,
        {
            "pools[a10].gpu_sharing": "cgpu",
            "models[qwen].placement.pools": ["a10"],
            "training": [],
            "models[qwen].server.resources": {
                "cpu": "16",
                "memory": "64Gi",
                "gpu_memory": "8Gi",
                "mig": "1g.5gb",
            },
        },
        (
            "models[qwen].server.resources.mig is '1g.5gb', but it must be left out, or "
            "gpu_memory: a card is shared in one way."
        ),
        {
            "pools[a10].gpu_sharing": "cgpu",
            "models[qwen].placement.pools": ["a10"],
            "training": [],
            "models[qwen].server.resources": {"cpu": "16", "memory": "64Gi", "gpu_memory": "8Gi"},
        },
    ),
    Case(
        "Resources",
        "compute without memory",
        existing,
        {"models[qwen].server.resources.gpu_cores": 30},
        (
            "models[qwen].server.resources.gpu_cores is 30, but it must be left out, or "
            "gpu_memory given too: compute is asked for beside memory of the same card."
        ),
        {"models[qwen].server.resources.gpu_cores": None},
    ),
    Case(
        "Resources",
        "an extended resource with a field of its own",
        existing,
        {"models[qwen].server.resources.extended": {"aliyun.com/gpu-mem": 8}},
        (
            "models[qwen].server.resources.extended[aliyun.com/gpu-mem] is "
            "'aliyun.com/gpu-mem', but it must be left out, and gpu_memory given: that is "
            "checked against the pools."
        ),
        {"models[qwen].server.resources.extended": {"aliyun.com/gpu": 8}},
    ),
    Case(
        "Resources",
        "an instance of MIG by its resource",
        existing,
        {"models[qwen].server.resources.extended": {"nvidia.com/mig-1g.10gb": 1}},
        (
            "models[qwen].server.resources.extended[nvidia.com/mig-1g.10gb] is "
            "'nvidia.com/mig-1g.10gb', but it must be left out, and mig given: that is "
            "checked against the pools."
        ),
        {"models[qwen].server.resources.extended": {"nvidia.com/other": 1}},
    ),
    Case(
        "Resources",
        "a resource that is Kubernetes' own",
        existing,
        {"models[qwen].server.resources.extended": {"ephemeral-storage": 1}},
        (
            "models[qwen].server.resources.extended[ephemeral-storage] is "
            "'ephemeral-storage', but it must be <domain>/<resource>, such as aliyun/erdma: a"
            " resource without a domain is Kubernetes' own."
        ),
        {"models[qwen].server.resources.extended": {"aliyun/erdma": 1}},
    ),
    Case(
        "Resources",
        "no device",
        existing,
        {"models[qwen].server.resources.extended": {"aliyun/erdma": 0}},
        (
            "models[qwen].server.resources.extended[aliyun/erdma] is 0, but it must be 1 or "
            "more: devices are counted."
        ),
        {"models[qwen].server.resources.extended": {"aliyun/erdma": 1}},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
