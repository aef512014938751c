"""Rules within one section of a stack file, or within an entry of one."""

import pytest

from stacks.sections.cluster import OF_AN_EXISTING_CLUSTER, ClusterSection, Profile
from stacks.sections.models import ServeSection

from ..environments import GONE, Raw, dev, existing, hybrid, prod
from .cases import Case, refusals
from .parts import (
    ARM,
    CARDS,
    NO_CARD,
    PROMETHEUS,
    SMALL,
    TERWAY,
    TERWAY_EDGE,
    load_test,
    own_ack_cluster,
    own_bucket,
    own_keys,
    own_vpc,
    scale,
)

CONTRACT: Raw = {"currency": "CNY", "source": "framework contract", "date": "2026-10-01"}


CASES = [
    Case(
        "NodesSection",
        "a selector that no node can match",
        existing,
        {"nodes[cache].node_selector": {"our pool": "cache"}},
        (
            "nodes[cache].node_selector[our pool] is 'our pool', but it must be a label key such "
            "as 'pool' or 'example.com/pool': Kubernetes takes no other."
        ),
        {"nodes[cache].node_selector": {"example.com/pool": "cache"}},
    ),
    Case(
        "InstanceTypeSection",
        "cards of no kind",
        dev,
        {"instance_types": [{**SMALL, "gpu": None}]},
        (
            "instance_types[ecs.gn6x.large].gpu is missing, but it must be given: gpus is 1, and a "
            "card is of a kind."
        ),
        {"instance_types": [SMALL]},
    ),
    Case(
        "InstanceTypeSection",
        "a kind of which there is no card",
        dev,
        {"instance_types": [{**SMALL, "gpus": 0}]},
        (
            "instance_types[ecs.gn6x.large].gpus is 0, but it must be 1 or more, or gpu left out: "
            "gpu is T4, and of that there is one."
        ),
        {"instance_types": [{**SMALL, "gpus": 0, "gpu": None}]},
    ),
    Case(
        "Environment",
        "a zone in place of its region",
        dev,
        {"region": "cn-beijing-h"},
        (
            "region is 'cn-beijing-h', but it must be a region such as 'cn-beijing': that is a "
            "zone of it."
        ),
        {"region": "cn-beijing"},
    ),
    Case(
        "ClusterSection",
        "a version that YAML reads as a number",
        dev,
        {"cluster.version": 1.3},
        (
            "cluster.version is 1.3, but it must be text in quotes: without them YAML reads a "
            "number, by which 1.30 is 1.3."
        ),
        {"cluster.version": "1.30"},
    ),
    Case(
        "InstanceTypeSection",
        "a family of ARM processors that is called x86",
        dev,
        {"instance_types": [{**ARM, "architecture": "amd64"}]},
        (
            "instance_types[ecs.g8y.2xlarge].architecture is 'amd64', but it must be arm64, or "
            "left out: the family is one of ARM processors."
        ),
        {"instance_types": [{**ARM, "architecture": "arm64"}]},
    ),
    Case(
        "Environment",
        "a namespace that Kubernetes does not take",
        dev,
        {"namespace": "Inference"},
        (
            "namespace is 'Inference', but it must be lower-case letters, digits and '-', '-' "
            "neither first nor last, at most 63: it names a Namespace. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"namespace": "0-inference"},
    ),
    Case(
        "NetworkSection",
        "Flannel without a range for pods",
        dev,
        {"network.plugin": "flannel", "network.zones[cn-beijing-h].pod_cidr": GONE},
        (
            "network.pod_cidr is missing, but it must be given: Flannel gives each node a part "
            "of it."
        ),
        {
            "network.plugin": "flannel",
            "network.zones[cn-beijing-h].pod_cidr": GONE,
            "network.pod_cidr": "172.20.0.0/16",
        },
    ),
    Case(
        "NetworkSection",
        "Terway with Flannel's range",
        dev,
        {"network.pod_cidr": "172.20.0.0/16"},
        (
            "network.pod_cidr is '172.20.0.0/16', but it must be left out: Terway takes pod "
            "addresses from zones[].pod_cidr."
        ),
        {},
    ),
    Case(
        "NetworkSection",
        "Terway without a range for pods",
        dev,
        {"network.zones[cn-beijing-h].pod_cidr": GONE},
        (
            "network.zones[cn-beijing-h].pod_cidr is missing, but it must be given: Terway gives "
            "each pod an address of it."
        ),
        {},
    ),
    Case(
        "NetworkSection",
        "Flannel with Terway's range",
        dev,
        {"network.plugin": "flannel", "network.pod_cidr": "172.20.0.0/16"},
        (
            "network.zones[cn-beijing-h].pod_cidr is '10.0.64.0/18', but it must be left out: "
            "Flannel uses network.pod_cidr."
        ),
        {},
    ),
    Case(
        "NetworkSection",
        "Terway in an IDC without a leased line",
        hybrid,
        {**TERWAY, "network.plugin": "terway-edge"},
        (
            "network.dedicated_line is False, but it must be true, once a leased line with BGP "
            "stands: terway-edge routes pod addresses over it, and a cluster keeps its plugin. See"
            " https://www.alibabacloud.com/help/en/ack/ack-edge/user-guide/network-management"
        ),
        TERWAY_EDGE,
    ),
    Case(
        "ClusterSection",
        "a size for an existing cluster",
        existing,
        {"cluster.spec": "ack.pro.xlarge"},
        (
            "cluster.spec is 'ack.pro.xlarge', but it must be left out: an existing cluster is "
            "used as it is."
        ),
        {},
    ),
    Case(
        "ClusterSection",
        "a context for a cluster of ours",
        dev,
        {"cluster.context": "home"},
        (
            "cluster.context is 'home', but it must be left out: the kubeconfig of a cluster of "
            "this stack comes from ACK."
        ),
        {},
    ),
    Case(
        "ClusterSection",
        "a text that stands for a cluster of ours",
        dev,
        {"cluster.identifier": "home"},
        (
            "cluster.identifier is 'home', but it must be left out, or profile existing: the ID of "
            "an ACK cluster stands for it."
        ),
        {},
    ),
    Case(
        "PoolSection",
        "a pool name that no resource may have",
        dev,
        {"pools[system].name": "sys_tem"},
        (
            "pools[sys_tem].name is 'sys_tem', but it must be lower-case letters, digits and "
            "'-', from a letter to a letter or digit, at most 63: it becomes part of resource "
            "names. See https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"pools[system].name": "sys-tem"},
    ),
    Case(
        "PoolSection",
        "a pool of two sizes",
        dev,
        {"pools[a10].autoscale": {"min": 0, "max": 4}},
        (
            "pools[a10].size is given beside autoscale, but it must be the only one of size, "
            "autoscale: a pool has a fixed size or is autoscaled."
        ),
        {"pools[a10].autoscale": {"min": 1, "max": 4}, "pools[a10].size": GONE},
    ),
    Case(
        "PoolSection",
        "a pool of no size",
        dev,
        {"pools[t4].autoscale": GONE},
        (
            "pools[t4].size is missing, but it must be given, or else autoscale: a pool has a "
            "fixed size or is autoscaled."
        ),
        {"pools[t4].autoscale": GONE, "pools[t4].size": 0},
    ),
    Case(
        "PoolSection",
        "a card that nobody knows",
        dev,
        {
            "pools[+]": {
                "name": "x",
                "gpu": NO_CARD,
                "instance_types": ["ecs.gn9.large"],
                "size": 0,
            },
            "instance_types": [
                {"name": "ecs.gn9.large", "vcpus": 8, "memory_gib": 32, "gpus": 1, "gpu": "L20"}
            ],
        },
        (
            f"pools[x].gpu is '{NO_CARD}', but it must be one of {CARDS}, or described "
            "under gpus: its memory and compute capability decide what runs on it."
        ),
        {
            "pools[+]": {"name": "x", "gpu": "L20", "instance_types": ["ecs.gn9.large"], "size": 0},
            "instance_types": [
                {"name": "ecs.gn9.large", "vcpus": 8, "memory_gib": 32, "gpus": 1, "gpu": "L20"}
            ],
        },
    ),
    Case(
        "PoolSection",
        "a driver for nodes without cards",
        dev,
        {"pools[system].driver": "550.144.03"},
        ("pools[system].driver is '550.144.03', but it must be left out: the pool has no gpu."),
        {"pools[a10].driver": "550.144.03"},
    ),
    Case(
        "EdgePoolSection",
        "an edge pool name that no resource may have",
        hybrid,
        {"edge_pools[+]": {"name": "i_dc"}},
        (
            "edge_pools[i_dc].name is 'i_dc', but it must be lower-case letters, digits and '-', "
            "from a letter to a letter or digit, at most 63: it becomes part of resource names. "
            "See https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"edge_pools[+]": {"name": "i-dc"}},
    ),
    Case(
        "MachinesSection",
        "machines with a card that nobody knows",
        hybrid,
        {"edge_pools[idc].gpu": NO_CARD},
        (
            f"edge_pools[idc].gpu is '{NO_CARD}', but it must be one of {CARDS}, or "
            "described under gpus: its memory and compute capability decide what runs on it."
        ),
        {"edge_pools[idc].gpu": "A10"},
    ),
    Case(
        "EdgePoolSection",
        "a pool ID that is none",
        hybrid,
        {"edge_pools[idc].node_pool_id": "idc"},
        (
            "edge_pools[idc].node_pool_id is 'idc', but it must be text such as np1a2b3c: ID of an"
            " edge pool that exists."
        ),
        {"edge_pools[idc].node_pool_id": "np1a2b3c"},
    ),
    Case(
        "NodesSection",
        "a name of nodes that is no label",
        existing,
        {"nodes[cache].name": "Cache", "models[qwen].cache.pool": "Cache"},
        (
            "nodes[Cache].name is 'Cache', but it must be lower-case letters, digits and '-', "
            "from a letter to a letter or digit, at most 63: pools and models refer to it. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"nodes[cache].name": "c", "models[qwen].cache.pool": "c"},
    ),
    Case(
        "MachinesSection",
        "nodes with a card that nobody knows",
        existing,
        {"nodes[gpu].gpu": NO_CARD},
        (
            f"nodes[gpu].gpu is '{NO_CARD}', but it must be one of {CARDS}, or "
            "described under gpus: its memory and compute capability decide what runs on it."
        ),
        {"nodes[gpu].gpu": "L20"},
    ),
    Case(
        "OssStore",
        "two options of a mount in one",
        dev,
        {"stores[models].oss.mount_options": ["attr_timeout=60", "ro -o umask=022"]},
        (
            "stores[models].oss.mount_options[1] is 'ro -o umask=022', but it must be one option "
            "without -o, such as umask=022: each follows a -o of its own, up to the next blank."
        ),
        {"stores[models].oss.mount_options": ["attr_timeout=60", "umask=022,ro"]},
    ),
    Case(
        "OssStore",
        "a key among the options of a mount",
        dev,
        {"stores[models].oss.mount_options": ["oss_access_key_secret=0a1b2c3d4e5f6g7h8i9j"]},
        (
            "stores[models].oss.mount_options[0] is an option with a secret in it, but it must be "
            "without: a RAM role, or the Secret that the store names, gives access: options stand "
            "in the volume and in Pulumi's state, where others read them."
        ),
        {"stores[models].oss.mount_options": ["ram_role=reader"]},
    ),
    Case(
        "OssSection",
        "an endpoint with a scheme",
        dev,
        {"stores[models].oss.endpoint": "https://oss-cn-beijing-internal.aliyuncs.com"},
        (
            "stores[models].oss.endpoint is 'https://oss-cn-beijing-internal.aliyuncs.com', but "
            "it must be a host name such as oss-cn-beijing-internal.aliyuncs.com: lower-case "
            "letters, digits, '-' and '.', at most 63 between dots and 253 in all, without "
            "scheme, port or path (did you mean 'oss-cn-beijing-internal.aliyuncs.com'?): the "
            "bucket is reached by it."
        ),
        {"stores[models].oss.endpoint": "oss-cn-beijing-internal.aliyuncs.com"},
    ),
    Case(
        "NasSection",
        "a mount target with a path",
        dev,
        {"stores[checkpoints].nas": {"server": "0a1b2c-x.cn-hangzhou.nas.aliyuncs.com:/share"}},
        (
            "stores[checkpoints].nas.server is '0a1b2c-x.cn-hangzhou.nas.aliyuncs.com:/share', "
            "but it must be a host name such as 0a1b2c-xyz.cn-beijing.nas.aliyuncs.com: "
            "lower-case letters, digits, '-' and '.', at most 63 between dots and 253 in all, "
            "without scheme, port or path (did you mean "
            "'0a1b2c-x.cn-hangzhou.nas.aliyuncs.com'?): nodes mount the files from it."
        ),
        {"stores[checkpoints].nas": {"server": "10.0.0.7"}},
    ),
    Case(
        "NasSection",
        "a zone of a mount target that exists",
        dev,
        {"stores[checkpoints].nas": {"server": "10.0.0.7", "zone": "cn-beijing-h"}},
        (
            "stores[checkpoints].nas.zone is 'cn-beijing-h', but it must be left out, or server "
            "left out: the mount target exists, in a zone of its own."
        ),
        {"stores[checkpoints].nas": {"zone": "cn-beijing-h"}},
    ),
    Case(
        "ClaimSection",
        "a claim that no cluster has",
        existing,
        {"stores[models].claim.name": "Shared_Models"},
        (
            "stores[models].claim.name is 'Shared_Models', but it must be lower-case letters, "
            "digits, '-' and '.', a letter or digit at both ends of each part, at most 253: no "
            "claim is called otherwise. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"stores[models].claim.name": "shared.models"},
    ),
    Case(
        "KnativeSection",
        "a domain that is a URL",
        dev,
        {"knative": {"domain": "https://LLM.example.org:443/v1"}},
        (
            "knative.domain is 'https://LLM.example.org:443/v1', but it must be a host name such "
            "as models.example.com: lower-case letters, digits, '-' and '.', at most 63 between "
            "dots and 253 in all, without scheme, port or path (did you mean "
            "'llm.example.org'?): services are hosts below it."
        ),
        {"knative": {"domain": "llm.example.org"}},
    ),
    Case(
        "KnativeSection",
        "a domain that is an address",
        dev,
        {"knative": {"domain": "203.0.113.7"}},
        (
            "knative.domain is '203.0.113.7', but it must be a domain, such as "
            "203.0.113.7.sslip.io: there are no hosts below an address."
        ),
        {"knative": {"domain": "203.0.113.7.sslip.io"}},
    ),
    Case(
        "KnativeSection",
        "a registry that no image reference names",
        dev,
        {"knative": {"skip_tag_resolving": ["https://docker.io"]}},
        (
            "knative.skip_tag_resolving[0] is 'https://docker.io', but it must be a registry as "
            "image references name it, such as docker.io or registry.local:5000: Knative "
            "compares it with the registry of each image."
        ),
        {"knative": {"skip_tag_resolving": ["docker.io", "registry.local:5000"]}},
    ),
    Case(
        "KServeSection",
        "an IngressClass that no cluster has",
        hybrid,
        {"kserve": {"ingress_class": "Nginx"}},
        (
            "kserve.ingress_class is 'Nginx', but it must be lower-case letters, digits, '-' and "
            "'.', a letter or digit at both ends of each part, at most 253: each model's Ingress "
            "names its class. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"kserve": {"ingress_class": "alb", "ingress_controller": "present"}},
    ),
    Case(
        "ClusterSection",
        "a version that ACK does not number so",
        prod,
        {"cluster.version": "1.34.1"},
        (
            "cluster.version is '1.34.1', but it must be a version of ACK such as "
            "1.34.1-aliyun.1, or left out: ACK numbers its own builds of a release, and knows no "
            "other names for them. See https://registry.terraform.io/providers/aliyun/alicloud/"
            "latest/docs/data-sources/cs_kubernetes_version"
        ),
        {"cluster.version": "1.34.1-aliyun.2"},
    ),
    Case(
        "StoreSection",
        "a store name that no resource may have",
        dev,
        {
            "stores[checkpoints].name": "check.points",
            "training[finetune].checkpoint.store": "check.points",
        },
        (
            "stores[check.points].name is 'check.points', but it must be lower-case letters, "
            "digits and '-', from a letter to a letter or digit, at most 63: it becomes part of "
            "resource names. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"stores[checkpoints].name": "c", "training[finetune].checkpoint.store": "c"},
    ),
    Case(
        "StoreSection",
        "a store in two places",
        dev,
        {"stores[checkpoints].oss": {"bucket": "ack-checkpoints"}},
        (
            "stores[checkpoints].oss is given beside nas, but it must be the only one of oss, "
            "nas, cpfs, claim: a store is in one place."
        ),
        {},
    ),
    Case(
        "StoreSection",
        "a store in no place",
        dev,
        {"stores[checkpoints].nas": GONE},
        (
            "stores[checkpoints].oss is missing, but it must be given, or else nas or cpfs or "
            "claim: a store is in one place."
        ),
        {"stores[checkpoints].nas": {}},
    ),
    Case(
        "ServeSection",
        "a model that is not served",
        dev,
        {"models[qwen].serve": {}},
        (
            "models[qwen].serve.knative is missing, but it must be given, or else "
            f"{' or '.join([*ServeSection.model_fields][1:])}: a model is served in one way."
        ),
        {},
    ),
    Case(
        "ServeSection",
        "a model that is served twice",
        dev,
        {"models[qwen].serve.kserve": {"scale": scale("cpu", 80)}},
        (
            "models[qwen].serve.knative is given beside kserve, but it must be the only one of "
            f"{', '.join(ServeSection.model_fields)}: a model is served in one way."
        ),
        {"models[qwen].serve": {"kserve": {"scale": scale("cpu", 80)}}},
    ),
    Case(
        "ModelSection",
        "a model name that no Service may have",
        dev,
        {"models[qwen].name": "1qwen"},
        (
            "models[1qwen].name is '1qwen', but it must be lower-case letters, digits and '-', "
            "from a letter to a letter or digit, at most 63: it names a Service. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"models[qwen].name": "qwen1"},
    ),
    Case(
        "TrainingSection",
        "a job name that no Job may have",
        dev,
        {"training[finetune].name": "fine_tune"},
        (
            "training[fine_tune].name is 'fine_tune', but it must be lower-case letters, digits "
            "and '-', from a letter to a letter or digit, at most 63: it names a Job. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"training[finetune].name": "fine-tune"},
    ),
    Case(
        "Scale",
        "fewer replicas at most than at least",
        dev,
        {"models[qwen].serve.knative.scale.min": 4},
        (
            "models[qwen].serve.knative.scale.min is 4, but it must be at most max (3): the "
            "autoscaler needs an ordered range."
        ),
        {"models[qwen].serve.knative.scale.min": 3},
    ),
    Case(
        "KServeSection",
        "a domain that no Ingress may have",
        hybrid,
        {"kserve": {"domain": "a_b"}},
        (
            "kserve.domain is 'a_b', but it must be a host name such as models.example.com: "
            "lower-case letters, digits, '-' and '.', at most 63 between dots and 253 in all, "
            "without scheme, port or path: models are hosts below it."
        ),
        {"kserve": {"domain": "a-b"}},
    ),
    Case(
        "GpuMetricsSection",
        "an address of Prometheus that is none",
        existing,
        {"gpu_metrics": {"url": "prometheus:9090"}},
        (
            "gpu_metrics.url is 'prometheus:9090', but it must be an address such as "
            "http://prometheus.monitoring.svc:9090: http or https, a host, and no user or "
            "password: the adapter connects to it."
        ),
        {"gpu_metrics": PROMETHEUS},
    ),
    Case(
        "PricesSection",
        "a price below zero",
        dev,
        {"prices": {**CONTRACT, "nodes_hourly": {"ecs.g7.2xlarge": -0.01}}},
        (
            "prices.nodes_hourly[ecs.g7.2xlarge] is -0.01, but it must be 0 or more: it is what a "
            "node costs."
        ),
        {"prices": {**CONTRACT, "nodes_hourly": {"ecs.g7.2xlarge": 0}}},
    ),
    Case(
        "PricesSection",
        "a spot price below zero",
        dev,
        {"prices": {**CONTRACT, "spot_hourly": {"ecs.g7.2xlarge": -1}}},
        (
            "prices.spot_hourly[ecs.g7.2xlarge] is -1.0, but it must be 0 or more: it is what a "
            "node costs."
        ),
        {"prices": {**CONTRACT, "spot_hourly": {"ecs.g7.2xlarge": 0.2}}},
    ),
    Case(
        "PricesSection",
        "a fee below zero",
        dev,
        {"prices": {**CONTRACT, "control_plane_hourly": -1}},
        (
            "prices.control_plane_hourly is -1, but it must be 0.0 or more: fee of the cluster "
            "per hour."
        ),
        {"prices": {**CONTRACT, "control_plane_hourly": 0}},
    ),
    Case(
        "PricesSection",
        "a price of what is no instance type",
        dev,
        {"prices": {**CONTRACT, "nodes_hourly": {"gn7i-c32g1.8xlarge": 10}}},
        (
            "prices.nodes_hourly[gn7i-c32g1.8xlarge] is 'gn7i-c32g1.8xlarge', but it must be an "
            "ECS type such as 'ecs.gn7i-c32g1.8xlarge': nodes are priced by their type. See "
            "https://www.alibabacloud.com/help/en/ecs/user-guide/overview-of-instance-families"
        ),
        # Of a contract that serves other stacks too.
        {"prices": {**CONTRACT, "nodes_hourly": {"ecs.no.pool": 10}}},
    ),
    Case(
        "PricesSection",
        "a price that is no number",
        dev,
        {"prices": {**CONTRACT, "nodes_hourly": {"ecs.g7.2xlarge": "2.09"}}},
        (
            "prices.nodes_hourly[ecs.g7.2xlarge] is '2.09', but it must be a number, without "
            "quotes: price of a node per hour on demand, by instance type."
        ),
        {"prices": {**CONTRACT, "nodes_hourly": {"ecs.g7.2xlarge": 2.09}}},
    ),
    Case(
        "PricesSection",
        "a currency that is called by another code",
        dev,
        {"prices": {**CONTRACT, "currency": "RMB"}},
        (
            "prices.currency is 'RMB', but it must be 'CNY': currencies are known by their codes "
            "of ISO 4217."
        ),
        {"prices": {**CONTRACT, "currency": "USD"}},
    ),
    Case(
        "PricesSection",
        "a date of the right form that is none",
        dev,
        {"prices": {**CONTRACT, "date": "2026-13-01"}},
        (
            "prices.date is '2026-13-01', but it must be a day such as 2026-10-01: no calendar has "
            "that one."
        ),
        {"prices": {**CONTRACT, "date": "2028-02-29"}},
    ),
    Case(
        "PoolSection",
        "an ARN in place of a role's name",
        dev,
        {"pools[a10].worker_role_name": "acs:ram::1234567890123456:role/nodes"},
        (
            "pools[a10].worker_role_name is 'acs:ram::1234567890123456:role/nodes', but it must be "
            "its name, of 1 to 64 letters, digits, '.', '_' and '-', '-' not first, and no ARN: a "
            "role is known by it. See https://registry.terraform.io/providers/aliyun/alicloud/"
            "latest/docs/resources/ram_role"
        ),
        {"pools[a10].worker_role_name": "KubernetesWorkerRole-nodes"},
    ),
    Case(
        "PricesSection",
        "a key that is none",
        dev,
        {"prices": {**CONTRACT, "node_hourly": {}}},
        (
            "prices.node_hourly is not a known key, but it must be left out (did you mean "
            "'nodes_hourly'?): the keys here are currency, source, date, nodes_hourly, spot_hourly,"
            " control_plane_hourly."
        ),
        {"prices": {**CONTRACT, "nodes_hourly": {}, "spot_hourly": {}}},
    ),
    Case(
        "PricesSection",
        "prices of no date",
        dev,
        {"prices": {"currency": "CNY", "source": "framework contract"}},
        ("prices.date is missing, but it must be given: day from which they hold."),
        {"prices": CONTRACT},
    ),
    Case(
        "PricesSection",
        "a date that is none",
        dev,
        {"prices": {**CONTRACT, "date": "October"}},
        (
            "prices.date is 'October', but it must be text such as 2026-10-01: day from which they "
            "hold."
        ),
        {"prices": {**CONTRACT, "date": "2026-10-31"}},
    ),
    Case(
        "PricesSection",
        "a currency by its sign",
        dev,
        {"prices": {**CONTRACT, "currency": "¥"}},
        ("prices.currency is '¥', but it must be text such as CNY: currency of the prices."),
        {"prices": {**CONTRACT, "currency": "USD"}},
    ),
    Case(
        "LoadTestSection",
        "a name that leaves no room for that of a pod",
        dev,
        {"load_tests": [load_test(name="s" * 52, run="first")]},
        (
            f"load_tests[{'s' * 52}].name is '{'s' * 52}-first', but it must be 57 long at most, "
            "which leaves room for an index: pods are called after the job."
        ),
        {"load_tests": [load_test(name="s" * 51, run="first")]},
    ),
    Case(
        "EdgePoolSection",
        "shared cards of an IDC",
        hybrid,
        {"edge_pools[idc].gpu_sharing": "share"},
        (
            "edge_pools[idc].gpu_sharing is 'share', but it must be 'exclusive', or left out: ACK"
            " shares cards on managed Pro clusters, and isolates their memory on ECS alone."
        ),
        {"edge_pools[idc].gpu_sharing": "exclusive"},
    ),
    Case(
        "PoolSection",
        "a way to share cards where there are none",
        dev,
        {"pools[system].gpu_sharing": "cgpu"},
        (
            "pools[system].gpu_sharing is 'cgpu', but it must be left out, or gpu given: there "
            "are no cards to share."
        ),
        {"pools[system].gpu_sharing": "exclusive"},
    ),
    Case(
        "PoolSection",
        "a label that says another way to share",
        dev,
        {
            "pools[a10].labels": {"ack.node.gpu.schedule": "share"},
            "pools[a10].gpu_sharing": "cgpu",
            "models[qwen].placement.pools": ["a10"],
            "training": [],
            "models[qwen].server.resources": {"cpu": "16", "memory": "64Gi", "gpu_memory": "8Gi"},
        },
        (
            "pools[a10].labels[ack.node.gpu.schedule] is 'share', but it must be 'cgpu', or left "
            "out: gpu_sharing is cgpu, of which that label is made."
        ),
        {
            "pools[a10].labels": {"ack.node.gpu.schedule": "cgpu"},
            "pools[a10].gpu_sharing": "cgpu",
            "models[qwen].placement.pools": ["a10"],
            "training": [],
            "models[qwen].server.resources": {"cpu": "16", "memory": "64Gi", "gpu_memory": "8Gi"},
        },
    ),
    Case(
        "NodesSection",
        "nodes with a label that says another way to share",
        existing,
        {
            "nodes[gpu].node_selector": {"ack.node.gpu.schedule": "share"},
            "nodes[gpu].gpu_sharing": "cgpu",
            "models[qwen].server.resources": {"cpu": "8", "memory": "48Gi", "gpu_memory": "11Gi"},
            "training": [],
        },
        (
            "nodes[gpu].node_selector[ack.node.gpu.schedule] is 'share', but it must be 'cgpu', "
            "or left out: gpu_sharing is cgpu, of which that label is made."
        ),
        {
            "nodes[gpu].node_selector": {"ack.node.gpu.schedule": "cgpu"},
            "nodes[gpu].gpu_sharing": "cgpu",
            "models[qwen].server.resources": {"cpu": "8", "memory": "48Gi", "gpu_memory": "11Gi"},
            "training": [],
        },
    ),
    Case(
        "NodesSection",
        "a part of a card as what a node has",
        existing,
        {"nodes[gpu].allocatable.gpu_memory": "8Gi"},
        (
            "nodes[gpu].allocatable.gpu_memory is '8Gi', but it must be left out: gpus says how "
            "many cards there are, gpu what each has, and gpu_sharing the parts."
        ),
        {"nodes[gpu].allocatable.gpus": 8},
    ),
    Case(
        "PoolSection",
        "a pool of Lingjun",
        dev,
        {"pools[a10].type": "lingjun"},
        (
            "pools[a10].type is 'lingjun', but it must be left out, for ECS instances: Lingjun "
            "nodes are bought and put into node groups in the console of Lingjun, and no stack "
            "creates them; once they are in a cluster, profile existing serves models on them, as"
            " nodes with the label alibabacloud.com/lingjun-worker. See "
            "https://www.alibabacloud.com/help/en/ack/ack-lingjun-managed-clusters/user-guide/overview-of-lingjun-node-pools"
        ),
        {"pools[a10].type": "ess"},
    ),
    Case(
        "NetworkSection",
        "a VPC of no address range",
        dev,
        {"network.cidr": GONE},
        (
            "network.cidr is missing, but it must be given, or else network.vpc_id: a VPC has an "
            "address range."
        ),
        {"network.egress_mbps": 1},
    ),
    Case(
        "NetworkSection",
        "a vSwitch of a VPC that is created",
        dev,
        {"network.zones[cn-beijing-h].vswitch_id": "vsw-2zea"},
        (
            "network.zones[cn-beijing-h].vswitch_id is 'vsw-2zea', but it must be left out, or "
            "network.vpc_id given: the VPC is created, and so are its vSwitches; with "
            "network.vpc_id, both exist."
        ),
        {},
    ),
    Case(
        "NetworkSection",
        "a vSwitch to be made in a VPC that exists",
        own_vpc,
        {"network.zones[cn-beijing-h].cidr": "10.0.0.0/20"},
        (
            "network.zones[cn-beijing-h].cidr is '10.0.0.0/20', but it must be left out, and "
            "vswitch_id given: the VPC exists, and so do its vSwitches: none is created in it."
        ),
        {"network.cidr": "100.64.0.0/10"},
    ),
    Case(
        "NetworkSection",
        "a zone of a VPC that exists, without its vSwitch",
        own_vpc,
        {"network.zones[cn-beijing-k].vswitch_id": GONE},
        (
            "network.zones[cn-beijing-k].vswitch_id is missing, but it must be given: the VPC "
            "exists, and so do its vSwitches: none is created in it."
        ),
        {"network.nat": GONE},
    ),
    Case(
        "NetworkSection",
        "a vSwitch that stands in two zones",
        own_vpc,
        {"network.zones[cn-beijing-k].vswitch_id": "vsw-2ze0nodes0in0zone0h00"},
        (
            "network.zones[cn-beijing-k].vswitch_id is 'vsw-2ze0nodes0in0zone0h00', but it must "
            "be named once: a vSwitch stands in one zone."
        ),
        {},
    ),
    Case(
        "NetworkSection",
        "a way out that a new VPC cannot have",
        dev,
        {"network.nat": "present"},
        (
            "network.nat is 'present', but it must be create, or network.vpc_id given: a VPC "
            "that is created has no other way out than the one created with it."
        ),
        {"network.nat": "create"},
    ),
    Case(
        "NetworkSection",
        "a width of a way out that is there",
        own_vpc,
        {"network.egress_mbps": 100},
        (
            "network.egress_mbps is 100, but it must be left out, or nat create: the VPC has a "
            "way out, which is left as it is."
        ),
        {"network.nat": "create", "network.egress_mbps": 100},
    ),
    Case(
        "NetworkSection",
        "a name in place of the ID of a VPC",
        own_vpc,
        {"network.vpc_id": "prod"},
        (
            "network.vpc_id is 'prod', but it must be an ID such as 'vpc-2ze0a1b2c3d4e5f6g7h8i': "
            "a VPC is known by it."
        ),
        {"network.vpc_id": "vpc-2zea"},
    ),
    Case(
        "ClusterSection",
        "a size for an ACK cluster that exists",
        own_ack_cluster,
        {"cluster.spec": "ack.pro.xlarge"},
        (
            "cluster.spec is 'ack.pro.xlarge', but it must be left out, or id left out: the "
            "cluster of that id exists, and nothing of it is changed."
        ),
        {"cluster.kubeconfig_minutes": 15},
    ),
    Case(
        "ClusterSection",
        "a name in place of the ID of a cluster",
        own_ack_cluster,
        {"cluster.id": "ack-prod"},
        (
            "cluster.id is 'ack-prod', but it must be an ID such as "
            "'c0a1b2c3d4e5f60718293a4b5c6d7e8f9', not a name: ACK knows a cluster by it."
        ),
        {"cluster.id": "c0123456789"},
    ),
    Case(
        "ClusterSection",
        "an ID of a cluster of any kind",
        existing,
        {"cluster.id": "c0123456789"},
        (
            "cluster.id is 'c0123456789', but it must be left out, or profile pro or edge: an "
            "existing cluster is used as it is."
        ),
        {},
    ),
    Case(
        "ClusterSection",
        "an alias in place of the ID of a key",
        own_keys,
        {"cluster.encryption_key_id": "alias/prod"},
        (
            "cluster.encryption_key_id is 'alias/prod', but it must be an ID such as "
            "'key-hzz0a1b2c3d4e5f6g7h8i' or '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9', neither an "
            "alias nor an ARN: KMS knows a key by it. See "
            "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/kms_key"
        ),
        {"cluster.encryption_key_id": "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"},
    ),
    Case(
        "ModelServer",
        "a variable that is read of a Secret as Kubernetes writes it",
        dev,
        {"models[qwen].server.env": {"HF_TOKEN": {"valueFrom": {"secretKeyRef": {"name": "hf"}}}}},
        (
            "models[qwen].server.env.HF_TOKEN is a section of keys and values, but it must be "
            "text, or left out where secret_env names the Secret that has it: environment "
            "variables; over those that are set for vLLM."
        ),
        {"models[qwen].server.secret_env": ["hf"]},
    ),
    Case(
        "KnativeServe",
        "a time as Kubernetes writes it, where seconds are",
        dev,
        {"models[qwen].serve.knative.startup_seconds": "30m"},
        (
            "models[qwen].serve.knative.startup_seconds is '30m', but it must be a whole number "
            "(did you mean 1800?): longest start, node and image included: probe and progress "
            "deadline."
        ),
        {"models[qwen].serve.knative.startup_seconds": 1800},
    ),
    *(
        Case(
            title,
            f"{key}, which is said otherwise",
            dev,
            {f"{section}.{key}": value},
            f"{section}.{key} is not a known key, but it must be left out (did you mean {place}?): "
            f"the keys here are {keys}.",
            {},
        )
        for title, section, key, value, place, keys in (
            (
                "Resources",
                "models[qwen].server.resources",
                "limits",
                {"nvidia.com/gpu": "1"},
                "cpu_limit; memory and gpus are request and limit",
                "cpu, memory, gpus, gpu_memory, gpu_cores, mig, extended, cpu_limit",
            ),
            (
                "NasSection",
                "stores[checkpoints].nas",
                "file_system_id",
                "0a1b2c",
                "server, the address of its mount target",
                "server, storage_type, zone, kms_key_id",
            ),
        )
    ),
    Case(
        "PoolSection",
        "a system disk that is too small for its level",
        dev,
        {"pools[a10].system_disk": {"size_gib": 460, "performance_level": "PL2"}},
        (
            "pools[a10].system_disk.size_gib is 460, but it must be 461 or more: PL2 starts there. "
            "See https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/"
            "cs_kubernetes_node_pool"
        ),
        {"pools[a10].system_disk": {"size_gib": 461, "performance_level": "PL2"}},
    ),
    Case(
        "PoolSection",
        "two sizes of a system disk",
        own_keys,
        {"pools[a10].system_disk_gib": 200, "pools[a10].system_disk": {"size_gib": 300}},
        (
            "pools[a10].system_disk_gib is 200, but it must be left out: system_disk says how "
            "large it is."
        ),
        {"pools[a10].system_disk": {"size_gib": 300, "category": "cloud_auto"}},
    ),
    Case(
        "PoolSection",
        "a data disk too small for its speed",
        own_keys,
        {"pools[a10].data_disk.size_gib": 460},
        (
            "pools[a10].data_disk.size_gib is 460, but it must be 461 or more: PL2 starts there. "
            "See "
            "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/cs_kubernetes_node_pool"
        ),
        {"pools[a10].data_disk.size_gib": 461},
    ),
    Case(
        "PoolSection",
        "an address in place of the name of a key pair",
        own_keys,
        {"pools[a10].key_name": "https://ops"},
        (
            "pools[a10].key_name is 'https://ops', but it must be 2 to 128 letters, digits, '_', "
            "':' and '-', a letter first: ECS takes no other name. See "
            "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/ecs_key_pair"
        ),
        {"pools[a10].key_name": "ops:prod_1"},
    ),
    Case(
        "PoolSection",
        "an ARN in place of the ID of a key",
        own_keys,
        {"pools[a10].kms_key_id": "acs:kms:cn-beijing:1:key/key-a"},
        (
            "pools[a10].kms_key_id is 'acs:kms:cn-beijing:1:key/key-a', but it must be an ID such"
            " as 'key-hzz0a1b2c3d4e5f6g7h8i' or '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9', neither "
            "an alias nor an ARN: KMS knows a key by it. See "
            "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/kms_key"
        ),
        {"pools[a10].kms_key_id": GONE},
    ),
    Case(
        "PoolSection",
        "patterns of types that may have no card",
        own_keys,
        {"pools[a10].instance_patterns": [{"vcpus": 8, "memory_gib": 32}]},
        (
            "pools[a10].instance_patterns is given, but it must be left out, and types named: a "
            "pattern names vCPUs and memory, but no card, and pods need that of the pool."
        ),
        {
            "pools[system].instance_patterns": [
                {"vcpus": 8, "memory_gib": 32, "families": ["ecs.g7"]}
            ]
        },
    ),
    Case(
        "Containerd",
        "a mirror without a scheme",
        own_keys,
        {
            "pools[a10].containerd.registry_mirrors": [
                {"registry": "docker.io", "mirrors": ["mirror.example.com"]}
            ]
        },
        (
            "pools[a10].containerd.registry_mirrors[0].mirrors[0] is 'mirror.example.com', but it"
            " must be an address such as https://mirror.example.com: http or https, a host, and "
            "no user or password: images are pulled from it."
        ),
        {
            "pools[a10].containerd.registry_mirrors": [
                {"registry": "registry.local:5000", "mirrors": ["http://10.0.0.1:5000"]}
            ]
        },
    ),
    Case(
        "Containerd",
        "a registry with a scheme",
        own_keys,
        {
            "pools[a10].containerd.registry_mirrors": [
                {"registry": "https://docker.io", "mirrors": ["https://mirror.example.com"]}
            ]
        },
        (
            "pools[a10].containerd.registry_mirrors[0].registry is 'https://docker.io', but it "
            "must be a registry as image references name it, such as docker.io or "
            "registry.local:5000: image names begin with it."
        ),
        {"pools[a10].containerd": {"max_concurrent_downloads": 20}},
    ),
    Case(
        "Containerd",
        "a registry that is named twice",
        own_keys,
        {
            "pools[a10].containerd.registry_mirrors": [
                {"registry": "docker.io", "mirrors": ["https://a.example.com"]},
                {"registry": "docker.io", "mirrors": ["https://b.example.com"]},
            ]
        },
        (
            "pools[a10].containerd.registry_mirrors[docker.io] is 'docker.io', but it must be "
            "named once: all mirrors of a registry stand in one list."
        ),
        {
            "pools[a10].containerd.registry_mirrors": [
                {
                    "registry": "docker.io",
                    "mirrors": ["https://a.example.com", "https://b.example.com"],
                }
            ]
        },
    ),
    Case(
        "Environment",
        "a tag of the cloud's own",
        own_keys,
        {"tags": {"acs:team": "llm"}},
        (
            "tags[acs:team] is 'acs:team', but it must be 1 to 128 characters, neither 'aliyun' "
            "nor 'acs:' first, and no http:// or https://: the cloud takes no other tag."
        ),
        {"tags": {"team": ""}},
    ),
    Case(
        "Environment",
        "a value of a tag that is an address",
        own_keys,
        {"tags": {"team": "https://llm"}},
        (
            "tags[team] is 'https://llm', but it must be at most 128 characters, neither 'aliyun'"
            " nor 'acs:' first, and no http:// or https://: the cloud takes no other tag."
        ),
        {"tags": {"team": "llm/prod"}},
    ),
    Case(
        "EdgePoolSection",
        "labels for a pool that is adopted",
        hybrid,
        {"edge_pools[idc].node_pool_id": "np1a2b3c", "edge_pools[idc].labels": {"rack": "a"}},
        (
            "edge_pools[idc].labels is given, but it must be left out, or node_pool_id left out: "
            "an adopted pool is left as it is."
        ),
        {"edge_pools[idc].labels": {"rack": "a"}, "edge_pools[idc].join_hours": 168},
    ),
    Case(
        "OssSection",
        "a redundancy for a bucket that is adopted",
        own_ack_cluster,
        {"stores[models].oss.redundancy": "ZRS"},
        (
            "stores[models].oss.redundancy is 'ZRS', but it must be left out: a bucket that is "
            "adopted is never changed."
        ),
        {"stores[models].oss.kms_key_id": "key-a"},
    ),
    Case(
        "OssSection",
        "a Secret that Kubernetes does not know",
        own_bucket,
        {"stores[models].oss.secret": "OSS"},
        (
            "stores[models].oss.secret is something else, but it must be the name of a Secret: "
            "a-z, 0-9, - and .: no Secret is called otherwise."
        ),
        {"stores[models].oss.secret": "oss.reader"},
    ),
    Case(
        "NasSection",
        "a key for a file system that exists",
        dev,
        {
            "stores[models]": {
                "name": "models",
                "nas": {"server": "nas.example.com", "kms_key_id": "key-a"},
            }
        },
        (
            "stores[models].nas.kms_key_id is 'key-a', but it must be left out, or server left "
            "out: a file system that exists keeps its key."
        ),
        {"stores[models]": {"name": "models", "nas": {"kms_key_id": "key-a"}}},
    ),
]


@pytest.mark.parametrize(
    "setting", sorted(ClusterSection.model_fields.keys() - OF_AN_EXISTING_CLUSTER)
)
def test_a_setting_of_a_new_cluster_is_refused_for_an_existing_one(setting: str) -> None:
    default = ClusterSection.model_fields[setting].default
    cluster = ClusterSection.model_construct(
        {"profile", setting}, profile=Profile.EXISTING, **{setting: default}
    )
    [fault] = cluster._faults()
    assert fault.field == setting


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
