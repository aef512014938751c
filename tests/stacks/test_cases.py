"""Stack files from public reports: each ends in a plan, in sentences, or in a warning.

They lie in the folder `cases` of ACK_INFERENCE_SHARED, by default `../shared`; without it, every
test here is skipped.
"""

from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from .case_files import REWRITTEN, in_our_fields, missing
from .environments import CASE_FILES, configuration, planned, sentences, warnings

needs_cases = pytest.mark.skipif(missing is not None, reason=missing or "")
FILES: Final = sorted(path.name for path in CASE_FILES.glob("*.yaml"))


class Outcome(StrEnum):
    """What a stack file comes to."""

    PLAN = "plan"
    """It is accepted, and planned."""
    REFUSED = "refused"
    """A sentence has the words, and nothing is planned."""
    WARNED = "warned"
    """It is planned, and a warning has the words."""


PLAN, REFUSED, WARNED = Outcome


class Row(NamedTuple):
    """A stack file and what it comes to."""

    file: str
    outcome: Outcome
    words: str = ""
    """Part of the sentence or of the warning, or of a planned resource."""


SETTLED: Final = [
    Row("c00_base", PLAN),
    Row("c00_base_kserve", PLAN),
    Row("c01_tp2_no_shm", PLAN, "'mountPath': '/dev/shm'"),
    Row("c02_tp3", WARNED, "splits each layer over 3 cards"),
    Row("c03_t4_bf16_default", REFUSED, "vllm.dtype is missing, but it must be half"),
    Row("c04_task_embed", REFUSED, "'--task', but it must be --runner pooling (vllm.runner)"),
    Row("c05_fp8_a10", PLAN, "'fp8'"),
    Row("c06a_quant_compressed", PLAN, "'compressed-tensors'"),
    Row("c06b_quant_gguf_extra", REFUSED, "left out, and vllm.quantization set instead"),
    Row("c06c_quant_moe_wna16", PLAN, "'moe_wna16'"),
    Row("c10_no_spare_gpu_knative", WARNED, "with scale.min 1 it never ends"),
    Row("c11_no_spare_gpu_kserve", WARNED, "Set rollout to type Recreate"),
    Row("c12_kserve_long_request", PLAN, "'nginx.ingress.kubernetes.io/proxy-read-timeout': '600'"),
    Row("c13_docker_io_mainland", WARNED, "docker.io is outside mainland China"),
    Row("c14_h20", PLAN, "'gpus': 8"),
    Row("c15_a100_80g", PLAN, "NVIDIA-A100-SXM4-80GB"),
    Row("c17b_gpushare_zero", REFUSED, "left out, and gpu_memory given"),
    Row("c17c_gpushare_label_only", REFUSED, "nodes of any other mode have no nvidia.com/gpu"),
    Row("c24_existing_has_knative", PLAN, "'Dataset'"),
    Row("c25_hf_hub", WARNED, "which every new pod downloads before it answers"),
    Row("c26_modelscope_command", PLAN, "'name': 'MODELSCOPE_CACHE'"),
    Row("c20_own_vpc", PLAN, "'vsw-2zeb'"),
    Row("c21_own_sg", PLAN, "'securityGroupId': 'sg-2zeexample'"),
    Row("c27_data_disk", REFUSED, "did you mean 'data_disk'?"),
    Row("c29a_canary_knative", PLAN, "'revisionName': 'qwen-00001'"),
    Row("c31_api_key_plain", REFUSED, "key VLLM_API_KEY of a Secret in secret_env"),
    Row("c33_namespaces", PLAN, "'namespace': 'team-a'"),
    Row("c34b_lora_no_volume", REFUSED, "--lora-modules reads it, and nothing else is mounted"),
    Row("c36_arm", REFUSED, "ACK offers the platform's components for x86 nodes only"),
    Row("c39_key_pair", PLAN, "'keyName': 'ops'"),
    Row("c40_tags", REFUSED, "did you mean 'resource_group_id' at the top?"),
    Row("c41_kms", PLAN, "'systemDiskKmsKey': 'key-example'"),
    Row("c43a_training_shm", PLAN, "'mountPath': '/dev/shm'"),
    Row("c43b_training_secret", PLAN, "'imagePullSecrets'"),
    Row("c43c_training_model_volume", PLAN, "finetune-model-"),
    Row("c43d_training_multi_gpu", PLAN, "'nvidia.com/gpu': '2'"),
    Row("c44_training_parallelism", PLAN, "finetune-rendezvous"),
    Row("c67_hf_token_plain", REFUSED, "the key HF_TOKEN of a Secret that secret_env names"),
    Row("c72_existing_h100", PLAN, "NVIDIA-H100-80GB-HBM3"),
    Row("c72b_existing_gpu_left_out", WARNED, "though nodes[gpu].allocatable has GPUs"),
    Row("c84a_host_loopback", REFUSED, "'--host 127.0.0.1', but it must be left out, or 0.0.0.0"),
    Row("c84b_ssl", REFUSED, "probes and the Service speak HTTP to the server"),
    Row("c86_cpfs", PLAN, "cpfs"),
    Row("c88_lingjun", REFUSED, "Lingjun nodes are bought and put into node groups"),
    Row("d01_marlin_t4", PLAN, "'gptq_marlin'"),
    Row("d02_two_models_more_min_than_cards", REFUSED, "needs 4 GPUs, and pool a10 has 2 at"),
    Row("d04_cgpu_pool", REFUSED, "nodes of any other mode have no nvidia.com/gpu"),
    Row("d05_other_region_registry", REFUSED, "answers in VPCs of cn-hangzhou only"),
    Row("d09_arm_gpuless_cache", REFUSED, "cache.pool is 'cache', but it must be a pool of x86"),
    Row("d10_mixed_arch", REFUSED, "a type of amd64, as the first one is"),
    Row("d11_kserve_no_ingress_controller", PLAN, "kserve-ingress"),
    Row("d12_two_zone_spread", PLAN),
    Row("d17_command_tp_mismatch", REFUSED, "takes 4 cards (tensor 4)"),
    Row("d18_command_port_mismatch", REFUSED, "without --port (8000)"),
    Row("d19_command_path_mismatch", REFUSED, "--model reads it, and nothing else is mounted"),
    Row("d23_extra_args_one_string", REFUSED, "3 items, --max-num-seqs, 64, --enable-prefix-"),
    Row("d26_hostname_upper", REFUSED, "(did you mean 'llm.example.org'?): services are hosts"),
    Row("d35_kserve_host_label", REFUSED, "KServe then makes no Ingress"),
]
"""What is as it should be."""

NOT_OFFERED: Final = [
    Row("c17_gpushare", REFUSED, "did you mean 'gpu_memory'?"),
    Row("c28_rdma", REFUSED, "did you mean an entry of extended?"),
    Row("c29b_canary_kserve", REFUSED, "did you mean 'canary'?"),
    Row("c30_domain_tls", REFUSED, "did you mean models[qwen].ingress.host or"),
    Row("c35_pdb_topology", REFUSED, "network_policies is True, but it must be a section of"),
]
"""What no key is for yet: the right outcome is a plan, and until then a sentence that says so."""


def comes_to(row: Row) -> bool:
    """Whether a file ends as its row says."""
    raw = configuration(CASE_FILES / f"{row.file}.yaml")
    faults = sentences(raw)
    if row.outcome is REFUSED:
        return any(row.words in sentence for sentence in faults)
    if faults:
        return False
    if row.outcome is WARNED:
        return any(row.words in sentence for sentence in warnings(raw))
    return any(row.words in str(resource) for resource in planned(raw).resources)


@needs_cases
@pytest.mark.parametrize("row", [*SETTLED, *NOT_OFFERED], ids=lambda row: row.file)
def test_a_public_stack_file_comes_to_what_it_should(row: Row) -> None:
    assert comes_to(row), sentences(configuration(CASE_FILES / f"{row.file}.yaml"))


@needs_cases
@pytest.mark.parametrize("file", REWRITTEN)
def test_a_file_in_another_spelling_is_planned_in_ours(file: str) -> None:
    assert sentences(configuration(CASE_FILES / f"{file}.yaml"))
    assert planned(in_our_fields(file)).manifests()


@needs_cases
@pytest.mark.parametrize("name", FILES)
def test_no_public_stack_file_ends_in_a_traceback(name: str) -> None:
    raw = configuration(CASE_FILES / name)
    if not sentences(raw):
        assert planned(raw).manifests()


@needs_cases
def test_every_public_stack_file_has_a_row() -> None:
    files = {*(row.file for row in (*SETTLED, *NOT_OFFERED)), *REWRITTEN}
    rows = [f"{file}.yaml" for file in files]
    assert sorted(rows) == [Path(name).name for name in FILES]
