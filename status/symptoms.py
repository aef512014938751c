"""What a server says in its last words, and what it means.

The texts are those that the troubleshooting page has (`docs/guides/troubleshooting.md`), each
with the check of this project that would have said it before.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Symptom:
    """A text in a log, and what it means."""

    pattern: re.Pattern[str]
    why: str
    remedy: str
    row: str


def _symptom(pattern: str, why: str, remedy: str, row: str) -> Symptom:
    return Symptom(re.compile(pattern, re.IGNORECASE), why, remedy, row)


SYMPTOMS: Final[Sequence[Symptom]] = (
    _symptom(
        r"CUDA driver version is insufficient|driver on your system is too old"
        r"|unsatisfied condition: cuda|forward compatibility was attempted"
        r"|PTX was compiled with an unsupported toolchain",
        "the node's NVIDIA driver is too old for the CUDA release of the image",
        "give the pool a newer driver, or take the image for an older CUDA",
        "drivers_run_the_image",
    ),
    _symptom(
        r"CUDA out of memory|OutOfMemoryError|Cuda failure \d* ?'out of memory'"
        r"|CUDA error: out of memory"
        r"|No available memory for the cache blocks|less than desired GPU memory utilization"
        r"|increase --mem-fraction-static",
        "the model does not fit the memory of its cards",
        "take a quantized model, more cards per replica or a larger card, or lower max_model_len",
        "models_fill_their_cards",
    ),
    _symptom(
        r"max seq len .* is larger than the maximum number of tokens|KV cache is needed, which is",
        "the context that max_model_len asks for does not fit beside the model",
        "lower vllm.max_model_len, or take a larger card",
        "models_fill_their_cards",
    ),
    _symptom(
        r"no kernel image is available|FlashAttention only supports|out of resource: shared memory"
        r"|No valid attention backend|only supports sm\d+ and above|No compiled cutlass_\w+ for"
        r"|not compatible with the current PyTorch|is not defined for option 'gpu-name'"
        r"|is not valid for this configuration\. Reason|only supported in FlashAttention 3"
        r"|Unsupported SM version|is not compatible with compile time compute cap"
        r"|device kernel image is invalid|Unsupported gpu architecture '"
        r"|backend (for \w+ )?is only supported on (Blackwell|Hopper)"
        r"|FlashAttention v3 Backend requires",
        "the image has no code for this card, or none for what it is told",
        "take an image that knows the card, or leave --attention-backend and --kv-cache-dtype out",
        "vllm_runs_on_the_cards",
    ),
    _symptom(
        r"quantization method .* is not supported for the current GPU|fp8e4nv"
        r"|FP8 KV cache is not supported|Failed to find a kernel that can implement"
        r"|Marlin does not support weight_bits",
        "the card does not compute in the format of the weights, or of the KV cache",
        "take another format, or another card",
        "formats_of_names_run_on_the_cards",
    ),
    _symptom(
        r"Failed to initialize NVML: Unknown Error",
        "its container has lost the card: a reload of systemd on the node takes cards away",
        "delete the pod: the next one gets its card again",
        "a container has lost its card",
    ),
    _symptom(
        r"Driver/library version mismatch|unsupported display driver",
        "the NVIDIA library in its container is of another version than the node's driver",
        "restart the node, if its driver was upgraded; else another driver, or another image",
        "a library of another version than the driver",
    ),
    _symptom(
        r"device\(s\) is/are busy or unavailable|Error in memory profiling"
        r"|memory capacity is unbalanced",
        "another program is on its card",
        "see by nvidia-smi on the node which one: a process that is left there, a server outside "
        "of Kubernetes, or a pod with NVIDIA_VISIBLE_DEVICES of its own",
        "a card that another program holds",
    ),
    _symptom(
        r"uncorrectable (ECC|NVLink)|fallen off the bus|system not yet initialized",
        "a card of the node is broken, or not ready",
        "drain the node, and have it repaired: auto_repair of the pool",
        "a card is broken",
    ),
    _symptom(
        r"Failed to infer device type|libcuda\.so\.1: cannot open|No CUDA GPUs are available"
        r"|Found no NVIDIA driver|no CUDA-capable device is detected|node has no GPU available"
        r"|libnvidia-ml\.so\.1: cannot open|CUDA driver initialization failed",
        "its container sees no card",
        "give it resources.gpus, or take an image for CPUs",
        "servers_ask_for_their_cards",
    ),
    _symptom(
        r"Model architectures .* are not supported|does not recognize this architecture"
        r"|has no vLLM implementation|is not supported anymore|no module or parameter named"
        r"|any variant of untagged enum|Tokenizer class \S+ does not exist"
        r"|unknown model architecture|cannot import name '\w+' from 'transformers"
        r"|weights were not initialized from checkpoint|Unsupported architectures"
        r"|KeyError: '(model\.)?layers\.\d+\.|Detected some but not all shards"
        r"|Cannot find model module|GGUF model with architecture \S+ is not supported",
        "the server's release does not know the architecture of the model, or its files",
        "take a release that does, or another model",
        "releases_are_as_new_as_their_models",
    ),
    _symptom(
        r"is not divisible by (weight quantization block|min_thread)",
        "the quantized weights of the model cannot be split over this number of cards",
        "take fewer cards per layer, or --enable-expert-parallel",
        "experts_are_split_by_whole_blocks",
    ),
    _symptom(
        r"max_model_len .* is greater than the derived",
        "max_model_len is more than the model's own longest sequence",
        "lower vllm.max_model_len, or give a rope scaling by --hf-overrides",
        "sequences_are_no_longer_than_the_models",
    ),
    _symptom(
        # In older releases the words before it are a warning alone.
        r"set the env var SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN",
        "--context-length is more than the model's own longest sequence",
        "lower it, or give a rope scaling by --json-model-override-args",
        "sglang_sequences_are_no_longer_than_the_models",
    ),
    _symptom(
        r"exceeds available Mamba cache",
        "the model keeps a state for each request, and its cards have no room for as many as it "
        "is told",
        "lower --max-num-seqs to the number that is named, or lower vllm.max_model_len",
        "states of a model do not fit",
    ),
    _symptom(
        r"KV cache specs to one unified type",
        "the connector of its KV cache cannot keep the states of such a model",
        "leave --kv-transfer-config out, or take a connector that can, or a later release",
        "connectors_keep_the_states_of_hybrids",
    ),
    _symptom(
        r"greater than total num kv heads|Decode context parallelism for GQA/MQA requires"
        r"|decode.context.parallel.size\b.{0,30}(must less than|exceeds the maximum)"
        r"|number of query heads per KV head .* must be divisible",
        "the cards that hold the same heads of keys are too few to share out the tokens of these",
        "lower --decode-context-parallel-size, leave it out, or take more cards",
        "tokens_are_shared_out_by_cards_with_the_same_heads",
    ),
    _symptom(
        r"Expandable segments are not compatible with memory pool"
        r"|incompatible with PYTORCH_CUDA_ALLOC_CONF=expandable_segments",
        "memory whose addresses change does not go with sleep mode, or with a connector",
        "take expandable_segments:True out of PYTORCH_CUDA_ALLOC_CONF",
        "segments_that_grow_suit_the_server",
    ),
    _symptom(
        r"Not enough host memory available\. Requesting",
        "what its cards are to keep of the KV cache is more than the memory that is free",
        "lower --hicache-size or --hicache-ratio, or raise resources.memory",
        "caches_of_sglang_fit_their_pod",
    ),
    _symptom(
        r"Unsupported speculative method|has no attribute '(set_embed(_and_head)?|hot_token_id)'",
        "the model has no layers of its own by which to draft",
        "name a draft that was trained for it, or take the n-grams of the prompt",
        "drafts_come_from_layers_that_are_there",
    ),
    _symptom(
        r"n_physical_experts=\d+ must be divisible by ep_size",
        "the experts of the model cannot be shared out evenly over this number of cards",
        "take 1, 2, 4 or 8 cards, or as many redundant experts as make it even",
        "experts that cannot be shared out",
    ),
    _symptom(
        r"Number of experts in the model must be greater than 0",
        "the model has no experts that cards could share",
        "leave --enable-expert-parallel out",
        "experts_are_of_models_that_have_some",
    ),
    _symptom(
        r"is smaller than max_model_len",
        "a batch holds fewer tokens than max_model_len, and prompts are not read in parts",
        "raise --max-num-batched-tokens, or lower vllm.max_model_len",
        "ModelServer",
    ),
    _symptom(
        r"must be (greater than or equal to|>=) max_(num_seqs|loras)|to use EPLB"
        r"|async scheduling is (not|only|currently)|VLLM_USE_V1=[01] is not supported"
        r"|is not supported with\s+async scheduling|does not support `--runner"
        r"|kv-cache is not supported with fp8|Unknown attention backend",
        "the server refuses what its flags say together, or of its model",
        "take one of the flags that are named out",
        "flags that do not go together",
    ),
    _symptom(
        r"need to specify both --max-lora-rank|requires setting\s+--speculative-draft-model-path"
        r"|Unknown speculative algorithm name|served_model_name cannot contain a colon"
        r"|hierarchical-cache and disable-radix-cache are mutually exclusive"
        r"|tp_size must be divisible by (number of nodes|attn_\w+|moe_dp_size|dp_size \*)",
        "the server refuses a flag for what another one says, or does not",
        "give it what the message names, or leave it out",
        "engine_faults",
    ),
    _symptom(
        r"arguments are required: --model",
        "the server is told no model",
        "name it: vllm.model, or --model-path with a path of the mounted volume in the command",
        "a command without a model",
    ),
    _symptom(
        r"Unknown quantization method|Unsupported quantization method|Unsupported GPTQ format",
        "the server's release does not know the format of the weights",
        "take a release that does, or another format of the model",
        "ModelServer",
    ),
    _symptom(
        r"does not match the quantization method",
        "vllm.quantization is another format than the model's files have",
        "leave vllm.quantization out",
        "another format than the files have",
    ),
    _symptom(
        r"Prequant BitsAndBytes models with tensor parallelism",
        "layers in bitsandbytes are not split over cards",
        "take one card, --pipeline-parallel-size, or another format of the model",
        "layers_in_bitsandbytes_stay_whole",
    ),
    _symptom(
        r"number of available GPUs|invalid device ordinal",
        "the server is told more cards than its pod has",
        "give as many resources.gpus as all parallel sizes multiply to",
        "more cards than the pod has",
    ),
    _symptom(
        r"greater than max_lora_rank",
        "an adapter has a higher rank than the server makes room for",
        "raise vllm.lora.max_rank",
        "an adapter of a higher rank",
    ),
    _symptom(
        r"expected target modules in|verify that the loaded LoRA module is correct",
        "an adapter was trained for another model than it is loaded beside",
        "mend vllm.lora.adapters, or take the model that the adapter was trained for",
        "an adapter of another model",
    ),
    _symptom(
        r"\w+ does not support LoRA yet",
        "the server's release takes no adapters for models of this architecture",
        "leave vllm.lora out, take a later release, or merge the adapter into the model",
        "a model that takes no adapters",
    ),
    _symptom(
        r"(pass|set) the (argument|option) `?(--)?trust.remote.code",
        "the model brings code of its own, which the server does not run unasked",
        "set vllm.trust_remote_code, if you trust whoever made the model",
        "a model with code of its own",
    ),
    _symptom(
        r"install vllm\[\w+\]|ImportError: Please install|Failed to find C compiler"
        r"|No such file or directory: '(gcc|g\+\+|ninja|nvcc)'"
        r"|ImportError: lib\S+\.so\S*: cannot open shared object"
        r"|Could not find nvcc|Ninja is required|'ninja'|NIXL is not available"
        r"|Command '\['\S*(gcc|cc|clang)'|Ninja build failed|DeepGEMM backend is not available",
        "the image lacks packages that models of this kind need",
        "take an image that has them: vllm/vllm-openai with the package named in the log on top",
        "packages that an image lacks",
    ),
    _symptom(
        r"Bus error|No space left on device: '/(psm_|dev/shm)|shared memory segment /dev/shm",
        "its shared memory is full",
        "raise server.shared_memory",
        "the shared memory of a pod is full",
    ),
    _symptom(
        r"deserializing header|PytorchStreamReader failed|Consistency check failed: file should"
        r"|FileIntegrityError|failed to open GGUF file",
        "files of the model are incomplete, or pointers of Git LFS in their place",
        "load them up again, whole: output <model>_upload_command",
        "the model's files are not whole",
    ),
    _symptom(
        r"bfloat16 is only supported on GPUs|bfloat16 is not supported for quantization",
        "the card, or the format of the weights, does not go with bfloat16",
        "set vllm.dtype to half",
        "vllm_runs_on_the_cards",
    ),
    _symptom(
        r"must be divisible by tensor parallel size",
        "the heads of the model cannot be split over this number of cards",
        "take 1, 2, 4 or 8 cards",
        "tensor_parallel_divides_the_heads",
    ),
    _symptom(
        r"404 Client Error|(Repository|Revision)NotFoundError|hub\.errors\.NotExistError",
        "the hub has no model, revision or file of that name, or none for this token",
        "mend the name or the revision; a private model needs a token in a Secret",
        "a hub that does not have the model",
    ),
    _symptom(
        r"Repo id must be in the form|HFValidationError|LocalEntryNotFoundError"
        r"|is not a local folder|Invalid repository ID or local directory",
        "the server does not find the model's files at its path, and asks a hub",
        "put the model into its store (output <model>_upload_command), or mend the path",
        "paths_are_mounted",
    ),
    _symptom(
        r"401 Client Error|403 Client Error|GatedRepoError|HTTP(?: Error)? 40[13]\b"
        r"|answers 40[13]\b|Invalid (?:user token|credentials in Authorization)"
        r"|NoCredentialsError|Unable to locate credentials|error occurred \((403|AccessDenied)"
        r"|oss2?\.exceptions\.AccessDenied",
        "the hub or the store refuses the token: it is wrong, or has no right to these files",
        "put a token that may read them into the Secret that the stack file names",
        "hubs_are_in_reach",
    ),
    _symptom(
        r"CERTIFICATE_VERIFY_FAILED",
        "something between it and the hub signs with a certificate that the image does not trust",
        "mount the certificate by files, and lead SSL_CERT_FILE and REQUESTS_CA_BUNDLE to it",
        "a certificate that the image does not trust",
    ),
    _symptom(
        r"xethub\.hf\.co|CAS (?:Client|service) [Ee]rror",
        "where Hugging Face keeps the weights is not reached",
        "HF_HUB_DISABLE_XET: '1' in server.env, vllm.hub: modelscope, or volume with a source",
        "mirrors_have_the_weights",
    ),
    _symptom(
        r"We couldn't connect to|Max retries exceeded with url|Failed to resolve '"
        r"|429 Client Error|ProxyError|\.ConnectError\b|\.ConnectTimeout\b|Read timed out"
        r"|XetDownloadError|failed to download or load vocab",
        "the server does not reach the hub that it asks, or is sent away as one of too many",
        "vllm.hub: modelscope, a mirror by HF_ENDPOINT, or volume with a source",
        "hubs_are_in_reach",
    ),
    _symptom(
        r"Can't load (the )?(tokenizer|configuration|image processor|feature extractor|processor)"
        r" (for|of) '[^'/]",
        "the hub has no such files of that model, or is not reached",
        "mend the name, or take vllm.hub: modelscope, a mirror by HF_ENDPOINT, or volume with a "
        "source",
        "hubs_are_in_reach",
    ),
    _symptom(
        r"unrecognized arguments|invalid choice|argument .*: Value .* cannot be converted to"
        r"|error: argument -",
        "the server refuses a flag of its command line",
        "take the flag out, or take the release that knows it",
        "extra_faults",
    ),
    _symptom(
        r"invalid (tool call|reasoning) parser",
        "the server's release has no parser of that name",
        "name one that it has, or take the release that has it",
        "parser_faults",
    ),
    _symptom(
        r"(No such file or directory|does not appear to have a file named).*"
        r"(config\.json|safetensors)|no file named config\.json|Cannot find any model weights"
        r"|No adapter found for|Can't load (the )?(tokenizer|configuration|image processor"
        r"|feature extractor|processor) (for|of) '/",
        "the folder that is mounted lacks files of the model",
        "fill the store: output <model>_upload_command",
        "the model's files are not in the bucket",
    ),
    _symptom(
        r"Transport endpoint is not connected|Stale file handle|\[Errno 5\] Input/output error",
        "the client that mounts its volume has ended, and the volume is gone",
        "delete the pod, which mounts it again; the client's own pod says why (namespace "
        "ack-csi-fuse, or the fuse of Fluid's runtime)",
        "a volume is gone from a pod that runs",
    ),
    _symptom(
        r"No space left on device|Disk quota exceeded",
        "a disk of its node, or its volume, is full",
        "enlarge data_disk or system_disk of the pool, or the claim",
        "a disk is full",
    ),
    _symptom(
        r"appears path-like, but doesn't exist|allowed-local-media-path`: The path"
        r"|looks like a file path, but it failed to be opened|is not a built-in template name"
        r"|Could not load logging config",
        "a file or a folder that it is told lies in no volume",
        "mount it: files, volumes, or a path below server.mount_path",
        "files_are_in_the_image",
    ),
    _symptom(
        r"uid not found",
        "it runs as a user that the image has no name for, and a library asks for one",
        "set USER and LOGNAME in server.env, and TORCHINDUCTOR_CACHE_DIR to a folder below /tmp",
        "a user without a name",
    ),
    _symptom(
        r"Read-only file system|PermissionError: \[Errno 13\]",
        "the server may not write its caches, or not read its files",
        "lead HOME, HF_HOME and VLLM_CACHE_ROOT to a folder that is writable, e.g. below /tmp",
        "caches_are_written_elsewhere",
    ),
    _symptom(
        r"address already in use",
        "another program of its pod, or of its node with hostNetwork, has the port",
        "give one of the two another port",
        "a port that another program has",
    ),
    _symptom(
        r"Timed out waiting for engine",
        "its engine was not ready in time",
        "give it a longer VLLM_ENGINE_READY_TIMEOUT_S in server.env, or a cache",
        "starts_take_their_time",
    ),
    _symptom(
        r"Failed core proc\(s\): \{[^}]*: -9\b|exit(ed with)? ?code:? -9\b|Signals\.SIGKILL"
        r"|terminated with -9\b|unable to mmap \d+ bytes .*Cannot allocate memory",
        "a process of it was killed, as a rule because the memory of its pod was used up",
        "raise resources.memory; see what counts against it: /dev/shm, --cpu-offload-gb, blocks "
        "of the KV cache that are kept there",
        "a process of a server is killed",
    ),
    _symptom(
        r"can't start new thread|pthread_create failed|Too many open files",
        "its container may start no more threads, or open no more files",
        "raise the limit of its node, or set OMP_NUM_THREADS to the cores of the pod",
        "threads or files that a container has no more of",
    ),
    _symptom(
        r"Illegal instruction",
        "the processor of its node lacks instructions that the image is built with",
        "take nodes with another processor, or another image",
        "an instruction that the processor lacks",
    ),
    _symptom(
        r"undefined symbol|Could not load any common_ops library"
        r"|has no attribute 'all_special_tokens_extended'",
        "packages in its image do not fit one another",
        "take an image as its makers publish it, or build it anew with the versions they name",
        "packages of an image that do not fit one another",
    ),
    _symptom(
        r"illegal memory access|device-side assert|unspecified launch failure",
        "a program on the card failed",
        "drain the node, if it fails on that one alone; else take another release of the server",
        "a program on the card fails",
    ),
    _symptom(
        r"sh: (line )?\d+: \S+ not found|command not found",
        "its image lacks the program that is started",
        "take the image of that server, or the command of the image's own",
        "images_have_the_server_that_is_started",
    ),
    _symptom(
        r"ModuleNotFoundError: No module named",
        "the image lacks packages that models of this kind, or flags, need",
        "take an image that has them: vllm/vllm-openai with the package named in the log on top",
        "packages that an image lacks",
    ),
    _symptom(
        r"Torch not compiled with CUDA enabled",
        "its image is built without CUDA, and finds no card",
        "take an image for NVIDIA's cards",
        "images_are_for_the_cards",
    ),
    _symptom(
        r"Unrecognized model in /",
        "the folder that is mounted holds no model as the server knows it: an adapter, files of "
        "another program, or Mistral's own",
        "mend the path, or load the model up in Hugging Face's form",
        "a folder of something else",
    ),
    _symptom(
        r"exec format error",
        "the image is for another architecture than the node",
        "take an image for the node's architecture",
        "images_suit_the_architecture",
    ),
    _symptom(
        r"NCCL error|nccl(System|UnhandledCuda|Remote)Error|DistNetworkError|DistStoreError"
        r"|Watchdog caught collective operation timeout|Gloo connectFullMesh failed"
        r"|seconds waiting for clients|NCCL WARN (NET/IB|Call to ibv_)|Failed to connect to GCS"
        r"|any running Ray instance|peer access is not supported|Cannot provide a placement group"
        r"|NIXL_ERR_|ibv_create_qp failed"
        r"|(c10d|TCPStore|Gloo).*(socket\.gaierror|Cannot assign requested address)",
        "its cards, or the pods of its group, do not reach one another",
        "set NCCL_DEBUG to INFO in server.env, which says where it stops: at /dev/shm "
        "(server.shared_memory), at the network between nodes, or at a card",
        "cards or pods that do not reach one another",
    ),
    _symptom(
        r"Mooncake Transfer Engine initialization failed|No RDMA devices found"
        r"|no usable transports/devices|no active messages transport",
        "it finds no device for RDMA by which it could hand its KV cache over",
        "ask for the device (resources.extended, on ACK aliyun/erdma) on nodes that have it, with "
        "an image that has its driver; or have it go by TCP",
        "a device for RDMA that is not there",
    ),
    _symptom(
        r"re-initialize CUDA in forked subprocess",
        "its process had used a card before it was forked, and its copies may not",
        "set VLLM_WORKER_MULTIPROC_METHOD to spawn in server.env",
        "a card in a process that is forked",
    ),
    _symptom(
        r"failed to be inspected",
        "it could not import the code of the model's architecture",
        "read the lines before it: as a rule a package of the image is of another release",
        "packages of an image that do not fit one another",
    ),
    _symptom(
        r"Capture cuda graph failed",
        "the server failed while it recorded what its cards do",
        "read the lines before it; where memory is short, lower --mem-fraction-static or "
        "--cuda-graph-max-bs",
        "a record of what cards do",
    ),
)


def symptom_in(text: str) -> Symptom | None:
    """The first symptom that a text shows."""
    return next((symptom for symptom in SYMPTOMS if symptom.pattern.search(text)), None)
