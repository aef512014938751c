"""Cases of the rules of `stacks.checks.sharing`."""

from ..environments import dev, existing
from .cases import Case, refusals

CASES = [
    Case(
        "pools_offer_whole_cards",
        "cards that are shared, for pods that ask for whole ones",
        dev,
        {"pools[a10].labels": {"ack.node.gpu.schedule": "cgpu"}},
        (
            "pools[a10].labels[ack.node.gpu.schedule] is 'cgpu', but it must be 'default', or left "
            "out: nodes of any other mode have no nvidia.com/gpu, which models[qwen], "
            "training[finetune] ask for; sharing a card is not offered yet. See "
            "https://www.alibabacloud.com/help/doc-detail/191140.html"
        ),
        {"pools[a10].labels": {"ack.node.gpu.schedule": "default"}},
    ),
    Case(
        "pools_offer_whole_cards",
        "nodes of an existing cluster that share cards",
        existing,
        {"nodes[gpu].node_selector": {"ack.node.gpu.schedule": "topology"}, "training": []},
        (
            "nodes[gpu].node_selector[ack.node.gpu.schedule] is 'topology', but it must be "
            "'default', or left out: nodes of any other mode have no nvidia.com/gpu, which "
            "models[qwen] asks for; sharing a card is not offered yet. See "
            "https://www.alibabacloud.com/help/doc-detail/191140.html"
        ),
        {"nodes[gpu].node_selector": {"ack.node.gpu.placement": "spread"}, "training": []},
    ),
    Case(
        "pools_offer_whole_cards",
        "cards that are shared by the label of the first cGPU",
        dev,
        {"pools[a10].labels": {"cgpu": "true"}},
        (
            "pools[a10].labels[cgpu] is 'true', but it must be left out: nodes with this label "
            "share their cards, and have no nvidia.com/gpu, which models[qwen], training[finetune] "
            "ask for; sharing a card is not offered yet."
        ),
        {"pools[a10].labels": {"cgpu": "false"}},
    ),
    Case(
        "pools_offer_whole_cards",
        "cards that are shared by the oldest label, though the new one says whole ones",
        dev,
        {"pools[t4].labels": {"gpushare": "true", "ack.node.gpu.schedule": "default"}},
        (
            "pools[t4].labels[gpushare] is 'true', but it must be left out: nodes with this label "
            "share their cards, and have no nvidia.com/gpu, which models[qwen], training[finetune] "
            "ask for; sharing a card is not offered yet."
        ),
        {"pools[t4].labels": {"gpushare": "false", "ack.node.gpu.schedule": "default"}},
    ),
    Case(
        "pools_offer_whole_cards",
        "nodes of an existing cluster that share cards by an old label",
        existing,
        {"nodes[gpu].node_selector": {"gpushare": "true"}, "training": []},
        (
            "nodes[gpu].node_selector[gpushare] is 'true', but it must be left out: nodes with "
            "this label share their cards, and have no nvidia.com/gpu, which models[qwen] asks "
            "for; sharing a card is not offered yet."
        ),
        {"nodes[gpu].node_selector": {"gpu": "true"}, "training": []},
    ),
    Case(
        "pools_offer_whole_cards",
        "a pool without askers may share its cards",
        dev,
        {"pools[t4].labels": {"cgpu": "true"}, "training": []},
        (
            "pools[t4].labels[cgpu] is 'true', but it must be left out: nodes with this label "
            "share their cards, and have no nvidia.com/gpu, which models[qwen] asks for; sharing a "
            "card is not offered yet."
        ),
        {
            "pools[t4].labels": {"cgpu": "true"},
            "models[qwen].placement.pools": ["a10"],
            "training": [],
        },
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
