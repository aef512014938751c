import pytest

from components.crds.formats import image_faults


@pytest.mark.parametrize(
    "image",
    [
        "nginx",
        "vllm/vllm-openai:v0.8.5",
        "registry.example.com:5000/team/vllm:0.4.1",
        "localhost/vllm",
        "a__b/c--d.e_f:Tag_1.0-x",
        f"vllm@sha256:{'0' * 64}",
        f"vllm:0.4.1@sha256:{'a' * 64}",
    ],
)
def test_a_reference_to_an_image_is_accepted(image: str):
    assert list(image_faults("image", image)) == []


@pytest.mark.parametrize(
    "image",
    ["", "A/b", "a b", "vllm:", "vllm:0.4 ", "-vllm", "vllm@sha256:0", "a//b"],
)
def test_what_is_no_reference_is_refused(image: str):
    [fault] = image_faults("image", image)
    assert str(fault) == (
        f"image is {image!r}, but it must be [host[:port]/]name[:tag][@sha256:digest], the name in "
        "lower case: no node could pull it, and Knative refuses the Service."
    )
