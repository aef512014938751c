from .server import EngineProfile


def engine_of(environment, model, instance):
    slow = 3 if instance and instance.gpu == "T4" else 1
    return EngineProfile(
        step_seconds=0.003 * slow,
        weight_seconds=0.02 * slow,
        token_seconds=0.0003 * slow,
        sequence_seconds=0.0005 * slow,
        context_seconds=1e-7,
        pair_seconds=1e-9,
        request_seconds=0.01,
        kv_tokens=30000,
        longest=6144,
    )
