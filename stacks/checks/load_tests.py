"""Load tests: what they load, and what they need for it."""

from collections.abc import Iterator

from components.args import Fault, Words
from components.serving.load_generators import GENERATORS

from ..arguments.folders import results
from ..needs import Needs
from ..sections.environment import Environment
from .rules import check, check_by_needs, warning
from .views import unknown_faults
from .vllm import longest_sequence


@check
def load_tests_name_models(environment: Environment) -> Iterator[Fault]:
    """A test loads a model that is there."""
    names = [model.name for model in environment.models]
    for test in environment.load_tests:
        if test.model not in names:
            why = "it is the one that is loaded"
            yield from unknown_faults(f"load_tests[{test.name}].model", test.model, names, why)


@check
def load_tests_have_a_tokenizer(environment: Environment) -> Iterator[Fault]:
    """Inference-perf reads a folder, and asks no hub."""
    for test in environment.load_tests:
        model = environment.model(test.model)
        if model is None or model.volume is not None:
            continue
        if GENERATORS[test.generator].reads_the_model:
            want = f"hey, or models[{model.name}].volume given"
            why = f"{test.generator} reads the tokenizer from the model's volume"
            field = f"load_tests[{test.name}].generator"
            yield Fault(field, test.generator.value, want, why)


@check
def load_tests_name_what_is_served(environment: Environment) -> Iterator[Fault]:
    """VLLM answers 404 to any other name."""
    for test in environment.load_tests:
        model = environment.model(test.model)
        names = model.server.served_names if model else []
        if test.served_name is not None and names and test.served_name not in names:
            want = f"one of {', '.join(names)}"
            why = f"models[{test.model}] answers to no other name"
            yield Fault(f"load_tests[{test.name}].served_name", test.served_name, want, why)


@warning
def load_tests_fit_the_longest_sequence(environment: Environment) -> Iterator[str]:
    """VLLM answers 400 to a prompt that leaves no room for its answer; a word is a token or more.

    vllm/entrypoints/openai/serving_engine.py of 0.10.2, vllm/renderers/params.py of 0.28.0.
    """
    for test in environment.load_tests:
        model = environment.model(test.model)
        command = model.server.vllm_command if model else None
        longest = longest_sequence(command) if command else 0
        tokens = test.prompt.words + test.prompt.max_tokens
        if 0 < longest < tokens:
            yield (
                f"load_tests[{test.name}].prompt asks for {test.prompt.words} words and "
                f"{test.prompt.max_tokens} tokens of answer, and models[{test.model}] takes "
                f"{longest} tokens in all: it answers 400 to each request."
            )


@check_by_needs
def cold_starts_begin_without_a_pod(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """A model that keeps a pod is never at zero, and only Knative holds a request until one is."""
    for test in environment.load_tests:
        model = environment.model(test.model)
        if test.scenario.cold_start is None or model is None:
            continue
        field = f"load_tests[{test.name}].scenario.cold_start"
        kind, knative = model.serve.kind, model.serve.knative
        path = f"models[{model.name}].serve.{kind}"
        if not needs.on_knative(model):
            want = f"left out, or {path} served by Knative"
            why = "while there is no pod, only Knative keeps a request waiting"
            yield Fault(field, Words("given"), want, why)
            continue
        least = model.serve.sections[kind].scale.min
        if least:
            want = f"left out, or {path}.scale.min 0"
            why = f"with {least} it always keeps a pod"
            yield Fault(field, Words("given"), want, why)
        elif knative and knative.reserve:
            want = f"left out, or {path}.reserve"
            why = "a reserve instance answers as long as there is no replica"
            yield Fault(field, Words("given"), want, why)


@check
def load_tests_have_their_own_jobs(environment: Environment) -> Iterator[Fault]:
    """A run is a Job, and its reports are a claim, beside those of training and of models."""
    jobs = {job.name: f"training[{job.name}]" for job in environment.training}
    claims = {model.name: f"models[{model.name}]" for model in environment.models}
    for test in environment.load_tests:
        path = f"load_tests[{test.name}]"
        if test.run and (owner := jobs.get(test.job_name)) is not None:
            want = f"another one, since {test.job_name} is the Job of {owner}"
            yield Fault(f"{path}.run", test.run, want, "a run is a Job of both names")
        elif test.results and (owner := claims.get(results(test))) is not None:
            want = f"different, as its reports are a claim of the name of {owner}"
            yield Fault(f"{path}.name", test.name, want, "both are made in the same namespace")
        if test.run:
            jobs[test.job_name] = path
