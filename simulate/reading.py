"""Reads the scene of a simulation off a stack file and its plan."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from components.catalog.instances import Instance
from components.catalog.vllm import vllm_image
from components.cloud.model_store import FuseType
from components.cloud.node_pool import ImageType
from components.crds.kserve_annotations import deployment_name
from components.crds.llm_inference_service_labels import KIND as LLM
from components.crds.llm_inference_service_labels import workload_name
from components.quantity import parse
from components.serving.keda_scale import KedaScale
from components.serving.kserve_model import KServeMetric
from components.serving.shutdown import QUIET_SECONDS, finishes_requests, standard_shutdown
from plan.cost import bill
from plan.machine_facts import created, planned_pools
from plan.machines import LivePool, PoolKind
from plan.objects import Manifest, name_of, namespace_of
from plan.pods import pods_of
from plan.refused import Refused
from plan.tariff import HOURS_PER_MONTH, Tariff, tariff
from stacks.sections.models import ModelSection
from stacks.sections.stores import StoreSection
from stacks.sections.training import TrainingSection

from . import times
from .engine_profiles import EngineEstimate, Unprofiled, download_bytes, profile_of
from .hpa import HpaSettings, hpa_settings
from .keda import KedaSettings, keda_settings
from .kpa import KpaSettings, kpa_settings
from .kserve import autoscaler_settings
from .policies import KIND as POLICY
from .policies import read_policy
from .scene import Job, Model, PodStart, Routing, Scene
from .staging import Staged
from .templates import PodTemplate, PriorityClasses, pod_template

FIRST_WITH_ROOM_UP_TO: Final = 3
"""Largest limit of a pod with which the activator takes the first one that has room."""
DEFAULT_REQUEST_SECONDS: Final = 300
"""Longest request where a stack file has none: what clients wait, as those of a load test do."""
TRAINING_IMAGE_BYTES: Final = 5e9
"""Compressed size of a training image: an assumption, about that of PyTorch with CUDA."""
MACHINES: Final = 2
"""Machines of an edge pool, and nodes of each group of an existing cluster, of which no stack file
says how many there are."""

AutoscalerSettings = KpaSettings | HpaSettings | KedaSettings

_KUBERNETES: Final = "kubernetes:"
_SIMULATED: Final = (
    KServeMetric.VLLM_WAITING,
    KServeMetric.VLLM_RUNNING,
    KServeMetric.VLLM_KV_CACHE,
)
"""What KEDA is told of replicas in a simulation, of all that it can be asked to look at."""
_SERVICES: Final = ("Service", "InferenceService", LLM)
_NO_TIME: Final = times.NOTHING


def read_scene(staged: Staged, machines: int = MACHINES) -> Scene:
    """What is simulated of an environment.

    Args:
        staged: The environment and its plan.
        machines: Machines of each edge pool, and nodes of each group of an existing cluster.

    Raises:
        Refused: A part of it cannot be simulated; one sentence each.
    """
    return _SceneReader(staged, machines).scene()


class _SceneReader:
    """What is read more than once."""

    def __init__(self, staged: Staged, machines: int) -> None:
        self.environment = staged.environment
        self.plan = staged.plan
        resources = [
            resource for resource in created(staged.plan) if resource.type.startswith(_KUBERNETES)
        ]
        self.manifests = [resource.inputs for resource in resources if "kind" in resource.inputs]
        self.classes = PriorityClasses(self.manifests)
        self.pools = planned_pools(staged.plan, staged.environment, machines)
        self.machines = machines
        self.models: list[ModelSection] = []
        """Those that can be simulated."""

    def scene(self) -> Scene:
        """All of it."""
        reasons = {model.name: [*self._engine_faults(model)] for model in self.environment.models}
        self.models = [model for model in self.environment.models if not reasons[model.name]]
        sentences = [sentence for faults in reasons.values() for sentence in faults]
        if not self.models:
            raise Refused("The simulation", *sentences)
        prices = tariff(self.plan)
        models = [self._model(model) for model in self.models]
        hourly = dict(_hourly(self.pools.values(), prices))
        return Scene(
            pools=[*self.pools.values()],
            policies=[read_policy(policy) for policy in self._of_kind(POLICY)],
            models=models,
            jobs=[self._job(job) for job in self.environment.training],
            node_added={pool.name: self._node_added(pool) for pool in self.pools.values()},
            node_removed=times.NODE_REMOVED,
            hourly=hourly,
            fees_hourly=self._fees(),
            currency=prices.currency,
            notes=[*sentences, *self._unpaid(), *self._notes()],
        )

    def _engine_faults(self, model: ModelSection) -> Iterator[str]:
        """Why a model cannot be simulated."""
        if model.serve.roles is not None:
            yield f"{model.name} is left out: prefill and decode apart are not simulated."
        elif model.pods_per_replica > 1:
            yield f"{model.name} is left out: groups on several nodes are not simulated."
        if model.serve.llm and model.serve.llm.prefill:
            yield f"{model.name} is left out: prefill apart from decode is not simulated."
        if _wakes_unseen(model):
            yield (
                f"{model.name} is left out: what wakes it from no pod is not simulated. With "
                "scale.min 1 it is."
            )
        for name in model.placement.pools:
            section = self.environment.pool(name)
            card = self.environment.card(section) if section else None
            if section is None or card is None:
                yield (
                    f"{model.name} is left out: which card the nodes of pool {name} have is not "
                    "known, and so not how fast the model is on it."
                )
                continue
            try:
                profile_of(model, section, card)
            except Unprofiled as reason:
                yield f"{model.name} is left out: on pool {name}, {reason}"

    def _of_kind(self, *kinds: str) -> list[Manifest]:
        return [manifest for manifest in self.manifests if manifest["kind"] in kinds]

    def _template(self, manifest: Manifest) -> PodTemplate:
        # An endpoint picker's pods are none of the model's.
        models = (pods for pods in pods_of(manifest) if not pods.path.startswith("spec.router."))
        return pod_template(name_of(manifest), next(models), self.classes)

    def _find(self, name: str, namespace: str | None, *kinds: str) -> Manifest:
        home = namespace or self.environment.namespace
        return next(
            manifest
            for manifest in self._of_kind(*kinds)
            if (name_of(manifest), namespace_of(manifest)) == (name, home) and "spec" in manifest
        )

    def _model(self, model: ModelSection) -> Model:
        service = self._find(model.name, model.namespace, *_SERVICES)
        section = next(iter(model.serve.sections.values()))
        limit = _limit(service)
        scaler = self._scaler(service)
        seconds = section.request_seconds or DEFAULT_REQUEST_SECONDS
        template = self._template(service)
        quiet, finish = _end(model, template, seconds, isinstance(scaler, KpaSettings))
        pools = self._placed(model.placement.pools)
        instances = {size.name: self._instance(size.name) for pool in pools for size in pool.sizes}
        engines = {pool.name: self._engine(model, pool) for pool in pools}
        reserve = getattr(section, "reserve", None)
        return Model(
            name=model.name,
            template=template,
            scaler=scaler,
            least=section.scale.min,
            most=section.scale.max,
            routing=_routing(scaler, limit),
            limit=limit,
            timeout_seconds=seconds,
            quiet_seconds=quiet,
            finish_seconds=finish,
            engines=engines,
            starts={name: self._start(model, instance) for name, instance in instances.items()},
            query_metric=_query_metric(model),
            signals=self._signals(service),
            reserves=reserve.replicas if reserve else 0,
            reserve=next(iter(engines.values()), None) if reserve else None,
        )

    def _engine(self, model: ModelSection, pool: LivePool) -> EngineEstimate:
        """How fast the model is on a pool that has a card."""
        section = self.environment.pool(pool.name)
        card = self.environment.card(section) if section else None
        if section is None or card is None:
            raise LookupError(f"{pool.name} has no card, and was to be refused before.")
        return profile_of(model, section, card)

    def _scaler(self, service: Manifest) -> AutoscalerSettings | None:
        """What scales a model: Knative, an HPA beside it, or what KServe makes for it."""
        if service["kind"] == "Service":
            return kpa_settings(service)
        for hpa in self._beside(service, "HorizontalPodAutoscaler"):
            return hpa_settings(hpa)
        for scaled in self._beside(service, "ScaledObject"):
            triggers = _simulated_triggers(scaled)
            spec = {**scaled["spec"], "triggers": triggers}
            return keda_settings({"spec": spec}) if triggers else None
        return None if service["kind"] == LLM else autoscaler_settings(service)

    def _signals(self, service: Manifest) -> dict[str, KServeMetric]:
        """Of the triggers of a ScaledObject of ours that are simulated, what each asks for."""
        return {
            f"s{index}-prometheus": KServeMetric(trigger["name"])
            for scaled in self._beside(service, "ScaledObject")
            for index, trigger in enumerate(_simulated_triggers(scaled))
        }

    def _beside(self, service: Manifest, kind: str) -> Iterator[Manifest]:
        """Autoscalers of a kind that the stack has for a model's Deployment."""
        for scaler in self._of_kind(kind):
            target = scaler["spec"]["scaleTargetRef"]["name"]
            if target == _deployment(service) and namespace_of(scaler) == namespace_of(service):
                yield scaler

    def _placed(self, names: Sequence[str]) -> list[LivePool]:
        return [self.pools[name] for name in names if name in self.pools]

    def _instance(self, size: str) -> Instance | None:
        return self.environment.instances.get(size)

    def _start(self, model: ModelSection, instance: Instance | None) -> PodStart:
        network = times.network_bytes(instance)
        image = vllm_image(model.server.image)
        release = image.version if image else None
        vllm = model.server.vllm
        size = times.image_bytes(release)
        return PodStart(
            first_image=times.image_pulled(size, cached=False, network=network),
            image=times.image_pulled(size, cached=True),
            weights=self._weights(model, network),
            engine=times.engine_started(
                release,
                compile_cache=bool(vllm and vllm.compile_cache),
                vllm=vllm is not None,
            ),
        )

    def _weights(self, model: ModelSection, network: float) -> times.Band:
        volume = model.volume
        size = float(parse(volume.size)) if volume else download_bytes(model)
        vllm = model.server.vllm
        load_format = vllm.load_format if vllm else None
        return times.model_loaded(size, self._source(model), network, load_format=load_format)

    def _source(self, model: ModelSection) -> times.WeightsSource:
        """Whence a pod reads the weights: a hub, the cache, or the store."""
        if model.volume is None:
            return times.HUB
        if model.cache is not None:
            [size, *_] = self.pools[model.cache.pool].sizes
            network = times.network_bytes(self._instance(size.name))
            return times.cached(model.cache.workers, network)
        name = model.volume.store
        return _store_source(next(store for store in self.environment.stores if store.name == name))

    def _job(self, job: TrainingSection) -> Job:
        manifest = self._find(job.name, job.namespace, "Job")
        template = self._template(manifest)
        pools = self._placed(job.placement.pools)
        names = [size.name for pool in pools for size in pool.sizes]
        return Job(
            name=job.name,
            template=template,
            pods=int(manifest["spec"].get("parallelism", 1)),
            starts={name: self._training_start(self._instance(name)) for name in names},
            end=times.victim_ended(template.grace_seconds),
        )

    def _training_start(self, instance: Instance | None) -> PodStart:
        network = times.network_bytes(instance)
        return PodStart(
            first_image=times.image_pulled(TRAINING_IMAGE_BYTES, cached=False, network=network),
            image=times.image_pulled(TRAINING_IMAGE_BYTES, cached=True),
            weights=_NO_TIME,
            engine=_NO_TIME,
        )

    def _node_added(self, pool: LivePool) -> times.Band:
        section = self.environment.pool(pool.name)
        image = getattr(section, "image_type", ImageType.ALIYUN_LINUX_3)
        return times.node_added(gpu=any(size.gpus for size in pool.sizes), image=image)

    def _fees(self) -> dict[str, Decimal]:
        """What a plan costs in an hour besides its nodes."""
        fees: dict[str, Decimal] = {}
        for fee in bill(self.plan).fees:
            if fee.money is not None:
                hourly = fee.money.max / HOURS_PER_MONTH
                fees[fee.money.currency] = fees.get(fee.money.currency, Decimal()) + hourly
        return fees

    def _unpaid(self) -> Iterator[str]:
        """What the money leaves out with the models that are."""
        left_out = [model for model in self.environment.models if model not in self.models]
        pools = dict.fromkeys(name for model in left_out for name in model.pools)
        elastic = [name for name in pools if name in self.pools and self.pools[name].scales]
        if elastic:
            yield (
                "Pods of a model that is left out take no place, and no node is bought for them: "
                f"pools {', '.join(elastic)} cost more than is shown, and are fuller."
            )

    def _notes(self) -> Iterator[str]:
        for pool in self.pools.values():
            if pool.kind is not PoolKind.ACK:
                yield (
                    f"Pool {pool.name} is taken to have {self.machines} machines, since no stack "
                    "file says how many there are: --machines says otherwise."
                )
        stores = {store.name: store for store in self.environment.stores}
        used = [stores[model.volume.store] for model in self.models if model.volume]
        if any(store.oss and store.oss.fuse_type is FuseType.OSSFS2 for store in used):
            yield (
                "How fast weights come through ossfs 2.0 on a GPU node nobody has published: 0.36 "
                "to 3 GB/s are taken, so that a bucket may seem as fast as a cache. Before you "
                "leave a cache out, measure a cold start, and use --calibrate."
            )
        for model in self.models:
            if model.serve.knative and model.serve.knative.reserve:
                yield (
                    f"Money and GPU-hours leave out the reserve instances of {model.name}: their "
                    "size is an annotation that only ACK reads, so add their price yourself."
                )
            scale = next(iter(model.serve.sections.values())).scale
            is_picked = model.serve.llm and model.serve.llm.router
            if (is_picked and is_picked.scheduler) or self.environment.is_behind_gateway(model):
                yield (
                    f"{model.name} is simulated behind its Service: its endpoint picker, which "
                    "knows queues and prefixes, does better than that."
                )
            for canary in model.route.canaries if model.route else ():
                yield (
                    f"{canary.model} is simulated with requests of its own, and not with its "
                    f"{canary.percent} % of those for {model.name}."
                )
            if getattr(scale, "wva", None):
                yield (
                    f"{model.name} is scaled by the Workload Variant Autoscaler, which is not "
                    f"simulated: it stays at {scale.min} pods."
                )
            if getattr(scale, "ahpa", None):
                yield (
                    f"{model.name} is scaled by AHPA, whose forecasts nobody knows: it stays at "
                    f"{scale.min} pods."
                )
            keda = getattr(scale, "keda", None)
            left_out = [] if keda is None else sorted(_left_out(scale.metric, keda))
            if left_out:
                yield (
                    f"{model.name} is simulated without {' and '.join(left_out)}, of which the "
                    "simulator knows nothing: it may have more pods."
                )
            is_query = (
                scale.metric == KServeMetric.PROMETHEUS and not keda and not _query_metric(model)
            )
            if scale.metric in (KServeMetric.CPU, KServeMetric.MEMORY) or is_query:
                subject = "a query of its own" if is_query else scale.metric
                yield (
                    f"{model.name} is scaled on {subject}, of which the simulator knows nothing: "
                    f"it stays at {scale.min} pods."
                )


def _wakes_unseen(model: ModelSection) -> bool:
    """Whether a model has no pod until KEDA sees what nobody here knows: hours, or a query."""
    scale = next(iter(model.serve.sections.values())).scale
    if scale.min or scale.metric == KServeMetric.CONCURRENCY:
        return False
    asks = scale.metric == KServeMetric.PROMETHEUS and not _query_metric(model)
    return asks or getattr(scale, "keda", None) is not None


def _deployment(service: Manifest) -> str:
    """Name of the Deployment that KServe makes of a model."""
    is_llm, name = service["kind"] == LLM, name_of(service)
    return workload_name(name) if is_llm else deployment_name(name)


def _left_out(metric: str | None, keda: KedaScale) -> Iterator[str]:
    """What a model is scaled on, beside what is simulated."""
    metrics = {str(metric), *(str(trigger.metric) for trigger in keda.triggers)}
    yield from metrics - set(_SIMULATED)
    if keda.schedule is not None:
        yield "its hours"


def _simulated_triggers(scaled: Manifest) -> list[Manifest]:
    """Those of the triggers of a ScaledObject that are of queues and caches."""
    return [trigger for trigger in scaled["spec"]["triggers"] if trigger.get("name") in _SIMULATED]


def _query_metric(model: ModelSection) -> KServeMetric | None:
    """Metric of vLLM that a query of one's own is about."""
    query = getattr(next(iter(model.serve.sections.values())).scale, "query", None)
    text = query.query if query else ""
    series = {
        "num_requests_waiting": KServeMetric.VLLM_WAITING,
        "num_requests_running": KServeMetric.VLLM_RUNNING,
    }
    return next((metric for name, metric in series.items() if name in text), None)


def _end(
    model: ModelSection, template: PodTemplate, seconds: float, on_knative: bool
) -> tuple[float, float]:
    """How long a pod stays that is told to end: without requests, and at most.

    On Knative the queue-proxy holds the server's end back until all is answered, as long as a
    request may take, and for a time after the last request in any case.
    """
    if on_knative:
        return QUIET_SECONDS, max(QUIET_SECONDS, seconds)
    grace = template.grace_seconds
    pause = standard_shutdown(model.server, int(grace)).pause_seconds
    return pause, grace if finishes_requests(model.server) else pause


def _limit(service: Manifest) -> int:
    """Requests that a pod gets at once; 0 for any number."""
    spec = service["spec"]
    if service["kind"] == LLM:
        return 0
    holder = spec["template"]["spec"] if service["kind"] == "Service" else spec["predictor"]
    return int(holder.get("containerConcurrency") or 0)


def _routing(scaler: AutoscalerSettings | None, limit: int) -> Routing:
    if not isinstance(scaler, KpaSettings):
        return Routing.RANDOM
    if not limit:
        return Routing.BETTER_OF_TWO
    return Routing.FIRST_WITH_ROOM if limit <= FIRST_WITH_ROOM_UP_TO else Routing.IN_TURN


def _store_source(store: StoreSection) -> times.WeightsSource:
    if store.oss is not None:
        return times.bucket(store.oss.fuse_type)
    if store.nas is not None:
        return times.file_system(store.nas.storage_type)
    return times.CPFS if store.cpfs is not None else times.CLAIM


def _hourly(pools: Iterable[LivePool], prices: Tariff) -> Iterator[tuple[tuple[str, str], Decimal]]:
    """Prices of the nodes of a stack; a spot node without one costs at most what it does else."""
    for pool in pools:
        for size in pool.sizes:
            spot = prices.spot.get(size.name) if pool.is_spot else None
            if price := spot or prices.nodes.get(size.name):
                yield (pool.name, size.name), price.hourly
