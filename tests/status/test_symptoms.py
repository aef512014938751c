"""Last words of servers, as reports of users have them, and what is said of each."""

import pytest

from status.symptoms import symptom_in

WORDS = [
    (
        "ValueError: Model architectures ['Qwen3_5ForConditionalGeneration'] are not supported for "
        "now. Supported architectures: dict_keys(['AquilaModel'])",
        "releases_are_as_new_as_their_models",
    ),
    (
        "The checkpoint you are trying to load has model type `qwen3_5` but Transformers does not "
        "recognize this architecture.",
        "releases_are_as_new_as_their_models",
    ),
    (
        "ValueError: The output_size of gate's and up's weight = 192 is not divisible by weight "
        "quantization block_n = 128.",
        "experts_are_split_by_whole_blocks",
    ),
    (
        "ValueError: User-specified max_model_len (131072) is greater than the derived "
        "max_model_len (max_position_embeddings=40960 in model's config.json).",
        "sequences_are_no_longer_than_the_models",
    ),
    (
        "ValueError: The quantization method fp8 is not supported for the current GPU. Minimum "
        "capability: 80. Current capability: 75.",
        "formats_of_names_run_on_the_cards",
    ),
    (
        "CompilationError: type fp8e4nv not supported in this architecture.",
        "formats_of_names_run_on_the_cards",
    ),
    ("RuntimeError: Failed to infer device type", "servers_ask_for_their_cards"),
    ("torch.cuda.OutOfMemoryError", "models_fill_their_cards"),
    (
        "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.",
        "models_fill_their_cards",
    ),
    (
        "ValueError: Invalid repository ID or local directory specified: '/mnt/models/qwen'.",
        "paths_are_mounted",
    ),
    (
        "RuntimeError: Data processing error: CAS service error : Reqwest Error: error sending "
        "request for url (https://cas-server.xethub.hf.co/v1/reconstructions/aa)",
        "mirrors_have_the_weights",
    ),
    ("OSError: We couldn't connect to 'https://huggingface.co' to load", "hubs_are_in_reach"),
    (
        "OSError: /mnt/models does not appear to have a file named config.json.",
        "the model's files are not in the bucket",
    ),
    (
        "SafetensorError: Error while deserializing header: HeaderTooLarge",
        "the model's files are not whole",
    ),
    ("Fatal Python error: Bus error", "the shared memory of a pod is full"),
    (
        "ValueError: World size (8) is larger than the number of available GPUs (4) in this node.",
        "more cards than the pod has",
    ),
    (
        "ValueError: LoRA rank 64 is greater than max_lora_rank 16.",
        "an adapter of a higher rank",
    ),
    (
        "The repository /mnt/models contains custom code. Please pass the argument "
        "`trust_remote_code=True` to allow custom code to be run.",
        "a model with code of its own",
    ),
    ("ImportError: Please install vllm[audio] for audio support", "packages that an image lacks"),
    ("RuntimeError: CUDA error: uncorrectable ECC error encountered", "a card is broken"),
    ("RuntimeError: CUDA error: system not yet initialized", "a card is broken"),
    ("Failed to initialize NVML: Unknown Error", "a container has lost its card"),
    (
        "RuntimeError: Unexpected error from cudaGetDeviceCount(). Error 803: system has "
        "unsupported display driver / cuda driver combination",
        "a library of another version than the driver",
    ),
    ("RuntimeError: No CUDA GPUs are available", "servers_ask_for_their_cards"),
    ("RuntimeError: FlashAttention only supports Ampere GPUs or newer.", "vllm_runs_on_the_cards"),
    ("RuntimeError: SGLang only supports sm75 and above.", "vllm_runs_on_the_cards"),
    (
        "triton.runtime.errors.OutOfResources: out of resource: shared memory, Required: 106496",
        "vllm_runs_on_the_cards",
    ),
    (
        "ValueError: torch.bfloat16 is not supported for quantization method awq.",
        "vllm_runs_on_the_cards",
    ),
    (
        "Exception: data did not match any variant of untagged enum ModelWrapper at line 7",
        "releases_are_as_new_as_their_models",
    ),
    (
        "ValueError: Weight input_size_per_partition = 928 is not divisible by min_thread_k = 128.",
        "experts_are_split_by_whole_blocks",
    ),
    (
        "Value error, Number of experts in the model must be greater than 0 when expert "
        "parallelism is enabled.",
        "experts_are_of_models_that_have_some",
    ),
    ("max_num_batched_tokens (2048) is smaller than max_model_len (8192).", "ModelServer"),
    (
        "Quantization method specified in the model config (fp8) does not match the quantization "
        "method specified in the `quantization` argument (awq).",
        "another format than the files have",
    ),
    (
        "ValueError: Prequant BitsAndBytes models with tensor parallelism is not supported.",
        "layers_in_bitsandbytes_stay_whole",
    ),
    (
        "NCCL WARN Error while creating shared memory segment /dev/shm/nccl-abc, error: No space "
        "left on device (28)",
        "the shared memory of a pod is full",
    ),
    (
        "HTTPError: 404 Client Error: Not Found for url: https://www.modelscope.cn/api/v1/models/x",
        "a hub that does not have the model",
    ),
    ("429 Client Error: Too Many Requests for url: https://huggingface.co", "hubs_are_in_reach"),
    ("vllm serve: error: argument --max-num-seqs: invalid int value: 'many'", "extra_faults"),
    ("OSError: [Errno 107] Transport endpoint is not connected", "a volume is gone"),
    ("OSError: [Errno 28] No space left on device", "a disk is full"),
    ("OSError: [Errno 30] Read-only file system: '/app/.cache'", "caches_are_written_elsewhere"),
    ("PermissionError: [Errno 13] Permission denied: '/.cache'", "caches_are_written_elsewhere"),
    ("OSError: [Errno 98] address already in use", "a port that another program has"),
    (
        "TimeoutError: Timed out waiting for engine core processes to start.",
        "starts_take_their_time",
    ),
    ("RuntimeError: NCCL error: unhandled system error", "cards or pods that do not reach"),
    ("torch.distributed.DistNetworkError: The client socket has timed out", "cards or pods"),
    ("CUDA error: an illegal memory access was encountered", "a program on the card fails"),
    ("sh: 1: vllm: not found", "images_have_the_server_that_is_started"),
    ("ModuleNotFoundError: No module named 'lmcache'", "packages that an image lacks"),
    ("RuntimeError: CUDA error: out of memory", "models_fill_their_cards"),
    (
        "NVIDIA B200 with CUDA capability sm_100 is not compatible with the current PyTorch "
        "installation.",
        "vllm_runs_on_the_cards",
    ),
    (
        "Worker failed with error 'No compiled cutlass_scaled_mm for CUDA device capability: 120. "
        "Required capability: 90 or 100'",
        "vllm_runs_on_the_cards",
    ),
    (
        "ValueError: Selected backend FLASH_ATTN is not valid for this configuration. Reason: "
        "['compute capability not supported']",
        "vllm_runs_on_the_cards",
    ),
    ("ptxas fatal   : Value 'sm_120' is not defined for option 'gpu-name'", "vllm_runs_on_the"),
    (
        "Could not start backend: Runtime compute cap 75 is not compatible with compile time "
        "compute cap 80",
        "vllm_runs_on_the_cards",
    ),
    ("ggml_cuda_init: failed: no CUDA-capable device is detected", "servers_ask_for_their_cards"),
    ("RuntimeError: CUDA error: CUDA-capable device(s) is/are busy or unavailable", "a card that"),
    ("AssertionError: Error in memory profiling. Initial free memory 21.5 GiB", "a card that"),
    ("llama_model_load: unknown model architecture: 'qwen3next'", "releases_are_as_new_as_their"),
    (
        "ImportError: cannot import name 'Qwen3VLProcessor' from 'transformers'",
        "releases_are_as_new_as_their_models",
    ),
    (
        "ValueError: Following weights were not initialized from checkpoint: {'lm_head.weight'}",
        "releases_are_as_new_as_their_models",
    ),
    ("ValueError: enable_expert_parallel must be True to use EPLB.", "flags that do not go"),
    ("ValueError: max_cpu_loras (4) must be >= max_loras (8)", "flags that do not go together"),
    ("ValueError: This model does not support `--runner generate`.", "flags that do not go"),
    ("NotImplementedError: VLLM_USE_V1=1 is not supported with Compute Capability", "flags that"),
    ("ValueError: Unknown attention backend: 'XFORMERS'. Valid", "flags that do not go together"),
    ("ValueError: Unknown quantization method: moe_wna16. Must be one of", "ModelServer"),
    ("RuntimeError: Ninja is required to load C++ extensions", "packages that an image lacks"),
    ("RuntimeError: NIXL is not available", "packages that an image lacks"),
    (
        "OSError: Consistency check failed: file should be of size 4976698672 but has size 123",
        "the model's files are not whole",
    ),
    ("botocore.exceptions.NoCredentialsError: Unable to locate credentials", "hubs_are_in_reach"),
    ("ClientError: An error occurred (403) when calling the HeadObject", "hubs_are_in_reach"),
    ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "a certificate that the"),
    ("httpx.ConnectError: [Errno 111] Connection refused", "hubs_are_in_reach"),
    ("HarmonyError: error downloading: failed to download or load vocab", "hubs_are_in_reach"),
    (
        "OSError: Can't load image processor for '/mnt/models/m'.",
        "the model's files are not in the bucket",
    ),
    (
        "ValueError: The supplied chat template string (/t/x.jinja) appears path-like, but doesn't "
        "exist!",
        "files_are_in_the_image",
    ),
    ("KeyError: 'getpwuid(): uid not found: 1000'", "a user without a name"),
    (
        "RuntimeError: Engine core initialization failed. See root cause above. Failed core "
        "proc(s): {'EngineCore_DP0': -9}",
        "a process of a server is killed",
    ),
    ("RuntimeError: can't start new thread", "threads or files that a container"),
    ("OSError: [Errno 24] Too many open files", "threads or files that a container"),
    ("Illegal instruction (core dumped)", "an instruction that the processor lacks"),
    ("ImportError: vllm/_C.abi3.so: undefined symbol: _ZN3c104cuda9SetDeviceEi", "packages of an"),
    (
        "[Rank 0] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=3)",
        "cards or pods",
    ),
    ("DistStoreError: Timed out after 601 seconds waiting for clients. 1/2", "cards or pods"),
    ("ConnectionError: Could not find any running Ray instance.", "cards or pods"),
    (
        "[c10d] The server socket has failed to bind to [::]:29500 (errno: 99 - Cannot assign "
        "requested address).",
        "cards or pods",
    ),
    (
        "launch_server.py: error: the following arguments are required: --model-path/--model",
        "a command without a model",
    ),
    (
        "OSError: Can't load the configuration of 'Qwen/Qwen9'. If you were trying to load it from "
        "'https://huggingface.co/models', make sure you don't have a local directory with the same "
        "name.",
        "hubs_are_in_reach",
    ),
    (
        "OSError: Can't load the configuration of '/mnt/models'. If you were trying to load it "
        "from 'https://huggingface.co/models', make sure you don't have a local directory with the "
        "same name.",
        "the model's files are not in the bucket",
    ),
    (
        "RuntimeError: CUDA error: the provided PTX was compiled with an unsupported toolchain.",
        "drivers_run_the_image",
    ),
    ("RuntimeError: CUDA error: device kernel image is invalid", "vllm_runs_on_the_cards"),
    ("nvcc fatal   : Unsupported gpu architecture 'compute_120'", "vllm_runs_on_the_cards"),
    (
        "ValueError: TRTLLM MHA backend is only supported on Blackwell GPUs (SM100). Please "
        "use a different backend.",
        "vllm_runs_on_the_cards",
    ),
    (
        "AssertionError: FlashAttention v3 Backend requires SM>=80 and SM<=90. Please use "
        "`--attention-backend flashinfer`.",
        "vllm_runs_on_the_cards",
    ),
    (
        "ValueError: Failed to find a kernel that can implement the WNA16 linear layer. Reasons:",
        "formats_of_names_run_on_the_cards",
    ),
    (
        "ValueError: The memory capacity is unbalanced. Some GPUs may be occupied by other "
        "processes. pre_model_load_memory=78.6",
        "a card that",
    ),
    (
        "RuntimeError: CUDA driver initialization failed, you might not have a CUDA gpu.",
        "servers_ask_for_their_cards",
    ),
    ("KeyError: 'layers.0.mlp.gate_up_proj.weight_scale'", "releases_are_as_new"),
    (
        "ValueError: Detected some but not all shards of model.layers.0.self_attn.qkv_proj "
        "are quantized. All shards of fused layers to have the same precision.",
        "releases_are_as_new",
    ),
    (
        "ValueError: User-specified context_length (131072) is greater than the derived "
        "context_length (32768). This may lead to incorrect model outputs or CUDA errors. To "
        "allow overriding this maximum, set the env var "
        "SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN=1",
        "sglang_sequences",
    ),
    (
        "ValueError: max_num_seqs (1024) exceeds available Mamba cache blocks (532). Each "
        "decode request",
        "states of",
    ),
    ("ValueError: Failed to promote local KV cache specs to one unified type.", "connectors_keep"),
    (
        "ValueError: Hybrid KV cache manager is disabled but failed to convert the KV cache "
        "specs to one unified type.",
        "connectors_keep",
    ),
    (
        "AssertionError: tensor parallel size 8 must be greater than total num kv heads 8 "
        "when enable decode context parallel for GQA/MQA",
        "tokens_are",
    ),
    (
        "AssertionError: Expandable segments are not compatible with memory pool. Please track",
        "segments_that_grow_suit_the_server",
    ),
    (
        "ValueError: KV connector NixlConnector is incompatible with "
        "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True unless enable_cumem_allocator",
        "segments_that_grow_suit_the_server",
    ),
    (
        "ValueError: Not enough host memory available. Requesting 200.00 GB but only have 80.00",
        "caches_of_sglang_fit_their_pod",
    ),
    (
        "AttributeError: 'Qwen2Tokenizer' object has no attribute 'all_special_tokens_extended'.",
        "packages of an image that do not fit",
    ),
    (
        "ValueError: Model architectures ['Qwen3OmniMoeForConditionalGeneration'] failed to be "
        "inspected. Please check the logs for more details.",
        "packages of an image that do not fit",
    ),
    (
        "subprocess.CalledProcessError: Command '['/usr/bin/gcc', '/tmp/tmp1/main.c', '-O3']' "
        "returned non-zero exit status 1.",
        "packages that an image lacks",
    ),
    ("RuntimeError: Ninja build failed. Ninja output:", "packages that an image lacks"),
    (
        "RuntimeError: DeepGEMM backend is not available. Please install the `deep_gemm`",
        "packages that an image lacks",
    ),
    (
        "RuntimeError: unable to mmap 4976698672 bytes from file </m/a.safetensors>: Cannot "
        "allocate memory (12)",
        "a process of a server is killed",
    ),
    ("AssertionError: tp_size must be divisible by dp_size * attn_cp_size", "engine_faults"),
    (
        "ValueError: Cannot find model module. 'Qwen3VLModel' is not a registered model in the",
        "releases_are_as_new",
    ),
    (
        "ValueError: GGUF model with architecture qwen3moe is not supported yet.",
        "releases_are_as_new",
    ),
    (
        "ValueError: Marlin does not support weight_bits = uint4b8. Only types = [] are supported",
        "formats_of_names_run_on_the_cards",
    ),
    (
        "RuntimeError: Cannot re-initialize CUDA in forked subprocess. To use CUDA with",
        "a card in a process that is forked",
    ),
    ("ValueError: Unsupported speculative method: 'mtp'", "drafts_come"),
    (
        "AttributeError: 'Qwen2ForCausalLM' object has no attribute 'set_embed_and_head'",
        "drafts_come",
    ),
    ("AssertionError: self.n_physical_experts=160 must be divisible by ep_size=12", "experts that"),
    (
        "AssertionError: When no initial --lora-paths is provided, you need to specify both "
        "--max-lora-rank and --lora-target-modules for LoRA initialization.",
        "engine_faults",
    ),
    ("ValueError: Unknown speculative algorithm name: MTP", "engine_faults"),
    ("AssertionError: served_model_name cannot contain a colon (':') character.", "engine_faults"),
    (
        "ValueError: The arguments enable-hierarchical-cache and disable-radix-cache are "
        "mutually exclusive and cannot be used at the same time.",
        "engine_faults",
    ),
    ("AssertionError: tp_size must be divisible by number of nodes", "engine_faults"),
    (
        "ValueError: While loading /mnt/lora, expected target modules in ['q_proj', 'k_proj']"
        " but received ['language_model']. Please verify that the loaded LoRA module is "
        "correct",
        "an adapter of another model",
    ),
    (
        "ValueError: Qwen3OmniMoeThinkerForConditionalGeneration does not support LoRA yet.",
        "a model that takes",
    ),
    ("FileNotFoundError: [Errno 2] No such file or directory: 'nvcc'", "packages that"),
    (
        "ImportError: libcudart.so.12: cannot open shared object file: No such file or directory",
        "packages that",
    ),
    (
        "ValueError: The chat template string (/t/x.jinja) looks like a file path, but it "
        "failed to be opened. Reason: [Errno 2]",
        "files_are_in_the_image",
    ),
    (
        "RuntimeError: Chat template /t/x.jinja is not a built-in template name or a valid "
        "chat template file path.",
        "files_are_in_the_image",
    ),
    ("RuntimeError: Scheduler or DataParallelController 412 terminated with -9", "a process"),
    ("AssertionError: Torch not compiled with CUDA enabled", "images_are_for_the_cards"),
    (
        "ValueError: Unrecognized model in /mnt/models. Should have a `model_type` key in its"
        " config.json.",
        "a folder of",
    ),
    ("RuntimeError: Mooncake Transfer Engine initialization failed.", "a device for RDMA"),
    (
        "UCX  ERROR no usable transports/devices (asked memory for network:rdma)",
        "a device for RDMA",
    ),
    ("Exception: Capture cuda graph failed: out of resource", "a record of"),
]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        (
            "Error 803: system has unsupported display driver / cuda driver combination\n"
            "RuntimeError: No CUDA GPUs are available",
            "a library of another version",
        ),
        (
            "Error 802: system not yet initialized\nRuntimeError: No CUDA GPUs are available",
            "a card is broken",
        ),
        (
            "Failed to initialize NVML: Unknown Error\nRuntimeError: Failed to infer device type",
            "a container has lost its card",
        ),
        (
            "CUDA error: an illegal memory access was encountered\n"
            "[rank0]:[W1130 ProcessGroupNCCL.cpp:1538] Warning: destroy_process_group() was not",
            "a program on the card fails",
        ),
        ("misc/strongstream.cc:395 NCCL WARN Cuda failure 2 'out of memory'", "models_fill"),
        (
            "huggingface_hub.errors.RepositoryNotFoundError: 401 Client Error.\n"
            "OSError: Qwen/Qwen9 is not a local folder and is not a valid model identifier",
            "a hub that does not have the model",
        ),
    ],
)
def test_of_several_words_the_cause_is_told(text: str, row: str):
    symptom = symptom_in(text)
    assert symptom is not None
    assert symptom.row.startswith(row)


@pytest.mark.parametrize(("text", "row"), WORDS)
def test_last_words_are_told_by_what_they_mean(text: str, row: str):
    symptom = symptom_in(text)
    assert symptom is not None
    assert symptom.row.startswith(row)


@pytest.mark.parametrize(
    "text",
    [
        "INFO: loading configuration file /mnt/models/qwen/config.json",
        "[W1130 ProcessGroupNCCL.cpp:1538] Warning: destroy_process_group() was not called",
        "RuntimeError: Engine core initialization failed. Failed core proc(s): {'EngineCore_0': 1}",
        "INFO: Async scheduling is enabled.",
        "RuntimeError: a Tensor with 151936 elements cannot be converted to Scalar",
        "socket.gaierror: [Errno -2] Name or service not known",
        "ERROR: [Errno 99] error while attempting to bind on address ('10.0.0.5', 8000): cannot "
        "assign requested address",
        "The decoder prompt (length 9000) is longer than the maximum model length of 8192.",
    ],
)
def test_words_that_tell_nothing_are_left_alone(text: str):
    assert symptom_in(text) is None


def test_a_store_of_weights_that_is_away_is_said_without_a_mirror():
    """Nobody needs to have set one."""
    symptom = symptom_in("Data processing error: CAS service error : Reqwest Error")
    assert symptom is not None
    assert "HF_ENDPOINT" not in symptom.why
