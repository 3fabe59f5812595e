"""Prompts: instructions of the data sets off, the template's on, R1's chat marks around it."""

import pytest
from hub_layout import BEFORE, BEHIND
from hypothesis import given
from hypothesis import strategies as st
from tokenizers.pre_tokenizers import ByteLevel

from maspo.config import load_experiment
from maspo.errors import ConfigError, DataError
from maspo.policy import build_tokenizer, encode_prompts, fitting_prompts
from maspo.tasks import Problem
from maspo.tasks.prompts import fill, strip_instructions

TASK = load_experiment(["scale=gpu"]).task
BOXED = "Please reason step by step, and put your final answer within \\boxed{}."
# What DeepSeek-R1's template does with one user message, in ASCII marks.
R1_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "<|User|>{{ message['content'] }}{% else %}<|Assistant|>{{ message['content'] }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|Assistant|><think>\n{% endif %}"
)


@pytest.fixture
def r1_tokenizer(tmp_path):
    """Return a byte-level tokenizer in Hugging Face format, saved and loaded again."""
    from transformers import AutoTokenizer, Qwen2Config

    tokenizer = build_tokenizer("".join(sorted(ByteLevel.alphabet())))
    tokenizer.add_special_tokens({"bos_token": "<|begin|>"})
    tokenizer.chat_template = R1_TEMPLATE
    tokenizer.save_pretrained(tmp_path)
    Qwen2Config().save_pretrained(tmp_path)
    return AutoTokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    "published",
    [
        BEFORE + "What is $x$?" + BEHIND,
        "Return your final response within \\boxed{}. What is $x$?",
        "What is $x$? " + BOXED,
        "What is $x$?\nLet's think step by step and output the final answer within \\boxed{}.",
        "  What is $x$?\n",
    ],
)
def test_the_bare_problem_is_left(published):
    assert strip_instructions(published, TASK.instructions) == "What is $x$?"


def test_instructions_go_in_whatever_order_they_stand():
    assert strip_instructions("B. A. B. What? C. A.", ["A.", "B.", "C."]) == "What?"


def test_an_instruction_inside_a_problem_stays():
    text = f"Tom says: '{BOXED}' What did Tom say?"
    assert strip_instructions(text, TASK.instructions) == text


@given(st.text(), st.lists(st.text(min_size=1), max_size=3))
def test_stripping_twice_is_stripping_once(text, instructions):
    once = strip_instructions(text, instructions)
    assert strip_instructions(once, instructions) == once
    for instruction in filter(None, map(str.strip, instructions)):
        assert not once.startswith(instruction)
        assert not once.endswith(instruction)


def test_the_template_keeps_every_other_brace():
    assert fill(TASK.template, "Let $S=\\{1\\}$.") == f"Let $S=\\{{1\\}}$.\n\n{BOXED}"
    assert fill("{problem}", "{problem}") == "{problem}"


@pytest.mark.parametrize("template", ["no place", "{problem}{problem}"])
def test_a_template_without_its_place_is_refused(template):
    with pytest.raises(ConfigError, match=r"task\.template.*\{problem\}"):
        load_experiment(["scale=gpu", f"task.template='{template}'"])


def test_r1_marks_stand_around_the_message(r1_tokenizer):
    problem = Problem.create(fill(TASK.template, "What is $1+1$? é"), "2", "x")
    (tokens,) = encode_prompts(r1_tokenizer, [problem], 500)
    expected = f"<|begin|><|User|>What is $1+1$? é\n\n{BOXED}<|Assistant|><think>\n"
    assert r1_tokenizer.decode(tokens) == expected
    assert tokens[0] == r1_tokenizer.bos_token_id
    assert tokens.count(r1_tokenizer.bos_token_id) == 1


def test_overlong_prompts_leave_training_and_stop_a_benchmark(r1_tokenizer):
    problems = [Problem.create("x" * size, "1", "dapo") for size in (5, 200, 7)]
    kept, prompts = fitting_prompts(r1_tokenizer, problems, 60)
    assert kept == [problems[0], problems[2]]
    assert prompts == encode_prompts(r1_tokenizer, kept, 60)
    with pytest.raises(DataError, match=rf"{problems[1].id}.*max_prompt_tokens=60"):
        encode_prompts(r1_tokenizer, problems, 60)
    with pytest.raises(DataError, match=r"all 3 training prompts.*max_prompt_tokens=2"):
        fitting_prompts(r1_tokenizer, problems, 2)
