import pytest

from components.serving import KnativeModel, TrainingJob

from ..recording import refused
from .arguments import job, server
from .test_knative_model import model


@pytest.mark.parametrize("image", ["A/b", "vllm:"])
def test_a_server_and_a_job_want_a_reference_to_an_image(image: str):
    sentence = f"image is {image!r}, but it must be [host[:port]/]name[:tag]"
    [served] = refused(KnativeModel, "qwen", model(server=server(image=image)))
    [trained] = refused(TrainingJob, "finetune", job(image=image))
    assert served.startswith(f"server.{sentence}")
    assert trained.startswith(sentence)
