"""What vLLM has to know to load a model, by what the model is called."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ..model_shapes import spelled_alike

_SIZE: Final = r"[\d.]+b"
_EXPERTS: Final = rf"{_SIZE}-a{_SIZE}"
# By how a folder or a hub's name begins, what its config.json names. "Supported Models" of vLLM,
# docs/models/supported_models.md at 0046f770 of 2026, read 2026-11-30; Qwen3.6 names what Qwen3.5
# does: ROCm/ATOM issue 1944. Of Qwen, Qwen-VL and InternLM of the first generation: 0.33.0,
# _PREVIOUSLY_SUPPORTED_MODELS of vllm/model_executor/models/registry.py. Which releases have an
# architecture, is in the table of releases.
ARCHITECTURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        r"qwen-(1-8b|7b|14b|72b|vl)(-chat)?(-int[48])?$": "QWenLMHeadModel",
        rf"qwen3\.[56]-{_EXPERTS}": "Qwen3_5MoeForConditionalGeneration",
        rf"qwen3\.[56]-{_SIZE}": "Qwen3_5ForConditionalGeneration",
        r"qwen3-next-": "Qwen3NextForCausalLM",
        r"qwen3-vl-(embedding|reranker)-": "Qwen3VLForConditionalGeneration",
        r"qwen3-(embedding|reranker)-": "Qwen3ForCausalLM",
        rf"qwen3-vl-{_EXPERTS}": "Qwen3VLMoeForConditionalGeneration",
        rf"qwen3-vl-{_SIZE}": "Qwen3VLForConditionalGeneration",
        r"qwen3-omni-": "Qwen3OmniMoeForConditionalGeneration",
        r"qwen3-asr-": "Qwen3ASRForConditionalGeneration",
        rf"qwen3-(coder-)?{_EXPERTS}": "Qwen3MoeForCausalLM",
        rf"qwen3-{_SIZE}": "Qwen3ForCausalLM",
        r"qwen2\.5-vl-": "Qwen2_5_VLForConditionalGeneration",
        r"qwen2-vl-": "Qwen2VLForConditionalGeneration",
        r"qwen2-audio-": "Qwen2AudioForConditionalGeneration",
        r"deepseek-v4-": "DeepseekV4ForCausalLM",
        r"deepseek-v3\.2": "DeepseekV32ForCausalLM",
        r"deepseek-(v3|r1)(?!.*distill)(?!-0528-qwen)": "DeepseekV3ForCausalLM",
        r"deepseek-v2": "DeepseekV2ForCausalLM",
        r"deepseek-vl2": "DeepseekVLV2ForCausalLM",
        r"deepseek-ocr-2": "DeepseekOCR2ForCausalLM",
        r"deepseek-ocr": "DeepseekOCRForCausalLM",
        r"glm-5(\.[12])?(-|$)": "GlmMoeDsaForCausalLM",
        r"glm-4\.7-flash": "Glm4MoeLiteForCausalLM",
        r"glm-4\.5v": "Glm4vMoeForConditionalGeneration",
        r"glm-4\.1v-": "Glm4vForConditionalGeneration",
        r"glm-4\.[567](-|$)": "Glm4MoeForCausalLM",
        r"glm-4-\d+b-0414": "Glm4ForCausalLM",
        r"glm-ocr": "GlmOcrForConditionalGeneration",
        r"kimi-k2\.5": "KimiK25ForConditionalGeneration",
        r"kimi-k3": "KimiK3ForConditionalGeneration",
        r"kimi-linear-": "KimiLinearForCausalLM",
        r"kimi-vl-": "KimiVLForConditionalGeneration",
        r"minimax-m2": "MiniMaxM2ForCausalLM",
        r"minimax-m3": "MiniMaxM3SparseForConditionalGeneration",
        r"gpt-oss-": "GptOssForCausalLM",
        r"llama-4-": "Llama4ForConditionalGeneration",
        r"gemma-4-12b": "Gemma4UnifiedForConditionalGeneration",
        r"gemma-4-": "Gemma4ForConditionalGeneration",
        r"gemma-3n-": "Gemma3nForConditionalGeneration",
        r"gemma-3-1b": "Gemma3ForCausalLM",
        r"gemma-3-\d+b": "Gemma3ForConditionalGeneration",
        r"gemma-2-": "Gemma2ForCausalLM",
        r"mistral-large-3-": "MistralLarge3ForCausalLM",
        r"step3-vl-": "StepVLForConditionalGeneration",
        r"step3($|-fp8)": "Step3VLForConditionalGeneration",
        r"step-3\.5-flash": "Step3p5ForCausalLM",
        r"step-3\.7-flash": "Step3p7ForConditionalGeneration",
        rf"ernie-4\.5-vl-{_EXPERTS}": "Ernie4_5_VLMoeForConditionalGeneration",
        rf"ernie-4\.5-{_EXPERTS}": "Ernie4_5_MoeForCausalLM",
        r"ernie-4\.5-0\.3b": "Ernie4_5ForCausalLM",
        r"hunyuan-a13b-": "HunYuanMoEV1ForCausalLM",
        rf"hunyuan-{_SIZE}-": "HunYuanDenseV1ForCausalLM",
        r"hunyuanocr": "HunYuanVLForConditionalGeneration",
        r"hy3-": "HYV3ForCausalLM",
        r"mimo-v2-flash": "MiMoV2FlashForCausalLM",
        r"mimo-7b-": "MiMoForCausalLM",
        r"seed-oss-": "SeedOssForCausalLM",
        r"longcat-flash-chat": "LongcatFlashForCausalLM",
        r"intern-s1-pro": "InternS1ProForConditionalGeneration",
        r"intern-s1(-mini)?$": "InternS1ForConditionalGeneration",
        r"internvl(2|3|3-5)-": "InternVLChatModel",
        r"internlm3-": "InternLM3ForCausalLM",
        r"internlm-(chat-)?(7b|20b)$": "InternLMForCausalLM",
        r"minicpm-v-": "MiniCPMV",
        r"minicpm-o-": "MiniCPMO",
        r"paddleocr-vl": "PaddleOCRVLForConditionalGeneration",
        r"phi-4-multimodal-": "Phi4MMForCausalLM",
        r"telechat2-": "TeleChat2ForCausalLM",
        r"telechat3-": "TeleChat3ForCausalLM",
        r"whisper-": "WhisperForConditionalGeneration",
    }
)
"""Architecture by a pattern of what a model is called, the first that fits."""


def model_architecture(name: str) -> str | None:
    """What config.json of a model names, by its name; None of one that the table lacks.

    Args:
        name: A folder's last part, or a hub's name with or without its owner.
    """
    text = spelled_alike(name.rstrip("/").rpartition("/")[2])
    return next((kind for key, kind in ARCHITECTURES.items() if re.match(key, text)), None)
