import pytest

from components.catalog.charts import CHARTS
from components.catalog.regions import is_mainland
from components.catalog.registries import CHART_REGISTRIES, registry_of


@pytest.mark.parametrize(
    ("reference", "host"),
    [
        ("nginx", "docker.io"),
        ("nginx:1.27", "docker.io"),
        ("vllm/vllm-openai:v0.19.0", "docker.io"),
        ("docker.io/vllm/vllm-openai:v0.19.0", "docker.io"),
        ("index.docker.io/vllm/vllm-openai", "docker.io"),
        ("Quay.IO/inference-perf/inference-perf", "quay.io"),
        ("localhost/server", "localhost"),
        ("registry:5000/server:1", "registry:5000"),
        ("registry-vpc.cn-beijing.aliyuncs.com/team/", "registry-vpc.cn-beijing.aliyuncs.com"),
    ],
)
def test_a_reference_without_a_host_is_one_of_docker_hub(reference: str, host: str) -> None:
    assert registry_of(reference).host == host


@pytest.mark.parametrize(
    "host",
    [
        "docker.io",
        "quay.io",
        "ghcr.io",
        "gcr.io",
        "us.gcr.io",
        "k8s.gcr.io",
        "registry.k8s.io",
        "nvcr.io",
        "us-west1-docker.pkg.dev",
        "public.ecr.aws",
        "docker.io:443",
        "registry.hub.docker.com",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "mcr.microsoft.com",
        "acme.azurecr.io",
        "registry.gitlab.com",
        "lscr.io",
        "registry-intl.ap-southeast-1.aliyuncs.com",
        "team-registry.cn-hongkong.cr.aliyuncs.com",
    ],
)
def test_public_registries_are_abroad(host: str) -> None:
    assert registry_of(f"{host}/a/b:1").is_abroad


@pytest.mark.parametrize(
    "host",
    [
        "kube-ai-registry.cn-shanghai.cr.aliyuncs.com",
        "mydocker.io",
        "docker.io.example.com",
        "quay.example.com",
        "registry.cn-hangzhou.aliyuncs.com",
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
        "swr.cn-north-4.myhuaweicloud.com",
        "registry-cn-hangzhou.ack.aliyuncs.com",
        "[fd00::1]:5000",
    ],
)
def test_a_mirror_is_not_abroad(host: str) -> None:
    assert not registry_of(f"{host}/a/b:1").is_abroad


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("registry-vpc.cn-shanghai.aliyuncs.com", "cn-shanghai"),
        ("registry-internal.cn-shanghai.aliyuncs.com", "cn-shanghai"),
        ("registry-vpc.ap-southeast-1.aliyuncs.com", "ap-southeast-1"),
        ("team-registry-vpc.cn-hongkong.cr.aliyuncs.com", "cn-hongkong"),
        ("crpi-x1-vpc.cn-beijing.personal.cr.aliyuncs.com", "cn-beijing"),
        ("team-registry-vpc.cn-shanghai.cr.aliyuncs.com:443", "cn-shanghai"),
        ("registry-intl-vpc.ap-southeast-1.aliyuncs.com", "ap-southeast-1"),
        ("registry-cn-shanghai-finance-1-vpc.ack.aliyuncs.com", "cn-shanghai-finance-1"),
        ("registry-cn-shanghai.ack.aliyuncs.com", None),
        ("registry.cn-shanghai.aliyuncs.com", None),
        ("team-registry.cn-shanghai.cr.aliyuncs.com", None),
        ("crpi-x1.cn-beijing.personal.cr.aliyuncs.com", None),
        ("registry-vpc.example.com", None),
    ],
)
def test_an_address_of_a_vpc_says_its_region(host: str, region: str | None) -> None:
    assert registry_of(f"{host}/a/b:1").vpc_region == region


@pytest.mark.parametrize(
    ("region", "mainland"),
    [
        ("cn-beijing", True),
        ("cn-wulanchabu", True),
        ("cn-hangzhou-finance", True),
        ("cn-hongkong", False),
        ("ap-southeast-1", False),
        ("us-west-1", False),
    ],
)
def test_hong_kong_is_no_mainland(region: str, mainland: bool) -> None:
    assert is_mainland(region) is mainland


def test_registries_are_of_charts_that_are_pinned() -> None:
    assert CHART_REGISTRIES.keys() <= CHARTS.keys()
