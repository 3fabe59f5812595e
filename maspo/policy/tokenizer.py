"""A character-level tokenizer in Hugging Face format, for policies that are built here."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from transformers import PreTrainedTokenizerBase, Qwen2Tokenizer

from maspo.errors import DataError
from maspo.tasks import Problem

PAD, EOS = "<pad>", "<|endoftext|>"
# A conversation is its contents, one after the other: the miniature task needs no role marks.
TEMPLATE_SECONDS = 10.0  # for one prompt; usual templates take less than a millisecond
CHAT_TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"


def build_tokenizer(characters: str) -> Qwen2Tokenizer:
    """Return a tokenizer with one token for each character, after ``<pad>`` (0) and the end (1).

    It is a Qwen2 tokenizer without merges, because that is the class that `AutoTokenizer` puts
    over any tokenizer file beside a Qwen2 model, and its end token is Qwen2's, because that class
    would otherwise add it as one token more.
    """
    vocabulary = {token: i for i, token in enumerate([PAD, EOS, *characters])}
    return Qwen2Tokenizer(
        vocab=vocabulary,
        merges=[],
        unk_token=EOS,
        eos_token=EOS,
        pad_token=PAD,
        chat_template=CHAT_TEMPLATE,
    )


def encode_prompts(
    tokenizer: PreTrainedTokenizerBase, problems: Sequence[Problem], max_tokens: int
) -> list[list[int]]:
    """Return each problem's prompt, rendered by the chat template, as token ids.

    Raises:
        DataError: a prompt is longer than `max_tokens`; the message names the problem.
    """
    prompts = [_encode(tokenizer, problem) for problem in problems]
    for problem, prompt in zip(problems, prompts, strict=True):
        if len(prompt) > max_tokens:
            raise DataError(
                f"the prompt of problem {problem.id} ({problem.source}) has {len(prompt)} tokens, "
                f"over task.max_prompt_tokens={max_tokens}"
            )
    return prompts


def fitting_prompts(
    tokenizer: PreTrainedTokenizerBase, problems: Sequence[Problem], max_tokens: int
) -> tuple[list[Problem], list[list[int]]]:
    """Return the problems whose prompts are not over `max_tokens`, and those prompts.

    For training only: a benchmark is measured whole or not at all, see `encode_prompts`.

    Raises:
        DataError: no prompt fits.
    """
    pairs = [(problem, _encode(tokenizer, problem)) for problem in problems]
    fitting = [(problem, prompt) for problem, prompt in pairs if len(prompt) <= max_tokens]
    if not fitting:
        raise DataError(
            f"all {len(problems)} training prompts are over task.max_prompt_tokens={max_tokens}"
        )
    return [problem for problem, _ in fitting], [prompt for _, prompt in fitting]


def encode_together(
    tokenizer: PreTrainedTokenizerBase, problems: Sequence[Problem]
) -> list[list[int]]:
    """Return the prompts of a batch of problems, of any length; faster than one after the other."""
    with _time_limit(f"the chat template of {tokenizer.name_or_path or 'the tokenizer'}"):
        return tokenizer.apply_chat_template(
            [list(problem.messages) for problem in problems],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=False,
        )


def _encode(tokenizer: PreTrainedTokenizerBase, problem: Problem) -> list[int]:
    return encode_together(tokenizer, [problem])[0]


@contextmanager
def _time_limit(what: str) -> Iterator[None]:
    """Raise DataError after `TEMPLATE_SECONDS`: a template is a program of whoever made the model.

    Signals reach the main thread alone; elsewhere there is no limit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise DataError(f"{what} takes over {TEMPLATE_SECONDS} s for one prompt: mend it")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, TEMPLATE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
