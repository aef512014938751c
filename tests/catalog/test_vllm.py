import pytest

from components.catalog.vllm import MINIMUM_DRIVER, vllm_image


@pytest.mark.parametrize(
    ("image", "release", "cuda"),
    [
        ("registry/kube-ai/vllm:0.4.1", "0.4.1", 12),
        ("vllm/vllm-openai:v0.4.1", "0.4.1", 12),
        ("vllm/vllm-openai:v0.19.9", "0.19.9", 12),
        ("vllm/vllm-openai:v0.20.0", "0.20.0", 13),
        ("vllm/vllm-openai:v0.28.0-cu129", "0.28.0", 12),
        ("vllm/vllm-openai:v0.19.0-cu130", "0.19.0", 13),
        ("vllm/vllm-openai:v0.11.0-x86_64-cu129", "0.11.0", 12),
        ("registry:5000/mirror/vllm-openai:v0.28.0", "0.28.0", 13),
        ("vllm.example.com:5000/vllm-openai:v0.19.0", "0.19.0", 12),
        (f"vllm/vllm-openai:v0.28.0@sha256:{'0c12' * 16}", "0.28.0", 13),
        (f"vllm/vllm-openai:v0.28.0-cu129@sha256:{'0c13' * 16}", "0.28.0", 12),
        ("vllm/vllm-openai:v0.20.0rc1", "0.20.0", 13),
        ("vllm/vllm-openai:0.9.0.post1", "0.9.0", 12),
    ],
)
def test_a_tag_tells_version_and_cuda(image: str, release: str, cuda: int):
    found = vllm_image(image)
    assert found is not None
    assert (found.release, found.cuda) == (release, cuda)


@pytest.mark.parametrize(
    "image",
    [
        "vllm/vllm-openai",
        "vllm/vllm-openai:latest",
        "vllm/vllm-openai:nightly",
        f"vllm/vllm-openai@sha256:{'0c12' * 16}",
        "registry:5000/mirror/sglang:v0.5.0",
        "vllm.example.com:5000/sglang:v0.5.0",
    ],
)
def test_what_a_tag_does_not_tell_is_not_guessed(image: str):
    assert vllm_image(image) is None


def test_versions_are_compared_as_numbers():
    older, newer = vllm_image("vllm:0.9.0"), vllm_image("vllm:0.10.2")
    assert older is not None
    assert newer is not None
    assert older.version < newer.version


def test_every_cuda_that_a_plain_tag_has_needs_a_known_driver():
    assert {12, 13} <= set(MINIMUM_DRIVER)
