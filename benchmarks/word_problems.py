"""How often a language model solves small word problems: is there something for RL to learn from?

    python -m benchmarks.word_problems .venv-lm/policy --problems 100

Each problem is asked after three solved ones, at temperature 1, with at most 16 tokens.
"""

import argparse
from collections import Counter

import numpy as np
import torch

from maspo.policy import encode_prompts, load_policy
from maspo.sampling import SamplingSettings
from maspo.sampling.transformers import TransformersSampler
from maspo.tasks import Problem
from maspo.verifier import Verdict, Verifier

NAMES = ("Tom", "Anna", "Ben", "Mia", "Sam", "Lily", "Max", "Eva", "Leo", "Zoe")
THINGS = ("apples", "coins", "books", "cards", "shells", "pens", "cookies", "marbles")
EXAMPLES = (
    ("Kim has 4 pens and gets 5 more. How many pens does Kim have now?", "\\boxed{9}"),
    ("Joe had 12 cards and gave away 5. How many cards are left?", "\\boxed{7}"),
    ("Ida has 3 bags with 6 shells in each. How many shells is that in all?", "\\boxed{18}"),
)


def draw(rng: np.random.Generator) -> tuple[str, str, int]:
    """Return a question of one or two operations on numbers below 10, the sum and its answer."""
    n, t = rng.choice(NAMES), rng.choice(THINGS)
    a, b, c = (int(number) for number in rng.integers(2, 10, 3))
    more, fewer, both = max(a, b) + c, min(a, b), a + b
    kinds = [
        (f"{n} has {a} {t} and gets {b} more. How many {t} does {n} have now?", f"{a}+{b}"),
        (f"{n} had {more} {t} and gave away {fewer}. How many {t} are left?", f"{more}-{fewer}"),
        (f"{n} has {a} bags with {b} {t} in each. How many {t} is that in all?", f"{a}*{b}"),
        (f"{n} has {a} {t}, finds {b} and then {c}. How many {t} does {n} have?", f"{a}+{b}+{c}"),
        (
            f"{n} has {both} {t}, gives away {b} and buys {c}. How many {t} are there?",
            f"{both}-{b}+{c}",
        ),
        (f"{n} buys {a} boxes of {b} {t} and loses {c}. How many {t} are left?", f"{a}*{b}-{c}"),
    ]
    values = (a + b, more - fewer, a * b, a + b + c, a + c, a * b - c)
    kind = rng.integers(len(kinds))
    return *kinds[kind], values[kind]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("policy", help="folder in Hugging Face format")
    parser.add_argument("--problems", type=int, default=100)
    parser.add_argument("--samples", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    policy, tokenizer = load_policy(options.policy)
    rng = np.random.default_rng(1)
    drawn = [draw(rng) for _ in range(options.problems)]
    problems = [Problem.create(q, str(answer), "words", EXAMPLES) for q, _, answer in drawn]
    prompts = encode_prompts(tokenizer, problems, 512)
    completions = TransformersSampler(policy, tokenizer, 64).sample(
        [prompt for prompt in prompts for _ in range(options.samples)],
        range(len(prompts) * options.samples),
        SamplingSettings(16),
    )
    golds = [problem.answer for problem in problems for _ in range(options.samples)]
    with Verifier(rules=["boxed"]) as verifier:
        verdicts = verifier.grade_many([completion.text for completion in completions], golds)
    right = np.array([verdict is Verdict.CORRECT for verdict in verdicts])
    groups = right.reshape(-1, options.samples)
    boxed = np.mean([r"\boxed{" in completion.text for completion in completions])
    print(Counter(verdict.value for verdict in verdicts))
    print(f"right {right.mean():.1%}, with a box {boxed:.1%}")
    print(f"groups that are not uniform {np.mean(groups.any(1) & ~groups.all(1)):.1%}")


if __name__ == "__main__":
    main()
