"""The verdict of a test bed as one page."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from maspo.statistics.sequential import Look
from maspo.testbed.checks import Check

FIGURES = {
    "training_dynamics": "Training: reward, entropy and more over the steps.",
    "gradient_use": "What is left of the gradient, by a token's old probability.",
    "ratio_use": "How far ratios go, and whether they come back.",
    "training_path": "Entropy against Avg@k and Pass@k on the way.",
    "facts": "Facts gained and lost, by what the base policy knew.",
}
WORDS = {
    "better": "{method} is better than {reference}",
    "worse": "{method} is worse than {reference}",
    "negligible": "{method} and {reference} differ by less than {margin}",
    "open": "Not decided: the interval holds 0 and reaches beyond {margin}",
}
STYLE = """
body { font: 16px/1.5 sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; }
table { border-collapse: collapse; } td, th { padding: .2em 1em; text-align: left; }
tr { border-bottom: 1px solid #ddd; } img { max-width: 100%; } figure { margin: 2em 0; }
.no { font-weight: bold; }
"""
LIMITS = (
    "This is the miniature: arithmetic on a policy of 0.15 million parameters, trained for a few "
    "dozen steps. It shows what an objective does to ratios, entropy and accuracy under many "
    "updates a batch. It does not show what a language model would gain. The interval takes "
    "differences as normally distributed: where single runs collapse it errs more often."
)


def sentence(verdict: str, look: Look, method: str, reference: str, margin: float) -> str:
    """Return the verdict in words, with the difference and its interval in points."""
    size = f"{margin:g} point{'' if margin == 1 else 's'}"
    words = WORDS[verdict].format(method=method, reference=reference, margin=size)
    return (
        f"{words}. {method} - {reference} in Avg@k: {points(look.mean)} "
        f"[{points(look.low)}, {points(look.high)}] points over {look.pairs} pairs of runs, 95 % "
        "at all looks together."
    )


def points(share: float) -> str:
    """Return a share as points with a sign."""
    return f"{100 * share:+.1f}"


def page(
    title: str,
    verdict: str,
    looks: Sequence[Look],
    checks: Sequence[Check],
    facts: Sequence[tuple[str, str]],
    figures: Sequence[Path],
) -> str:
    """Return the page: verdict, looks, checks of the gradient, figures, and how it was made."""
    tried = [(c.name, "yes" if c.passed else "no", c.text) for c in checks]
    seen = [
        (str(x.pairs), points(x.mean), f"{points(x.low)} to {points(x.high)}", *_note(x))
        for x in looks
    ]
    parts = [
        f"<h1>{escape(title)}</h1><p><b>{escape(verdict)}</b></p>",
        "<h2>Looks</h2>",
        _table(("Pairs of runs", "Difference (points)", "Interval", ""), seen),
        "<h2>Checks of the gradient</h2>",
        _table(("Check", "Passed", ""), tried),
        "<h2>What happened</h2>",
        *(_figure(path, FIGURES[path.stem]) for path in figures),
        f"<h2>What this does not show</h2><p>{LIMITS}</p>",
        "<h2>How it was made</h2>",
        _table(("", ""), facts),
    ]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    body = "\n".join(parts)
    return f"<!DOCTYPE html>\n<html lang=en><head>{head}</head>\n<body>\n{body}\n</body></html>\n"


def _note(look: Look) -> tuple[str]:
    return ("every pair the same",) if look.low == look.high else ("",)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"<tr>{''.join(f'<th>{escape(cell)}</th>' for cell in header)}</tr>"]
    for row in rows:
        kind = ' class="no"' if "no" in row else ""
        lines.append(f"<tr{kind}>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>")
    return f"<table>{''.join(lines)}</table>"


def _figure(path: Path, caption: str) -> str:
    """Return a figure that the page carries within itself."""
    data = base64.b64encode(path.read_bytes()).decode()
    image = f'<img alt="{escape(caption)}" src="data:image/png;base64,{data}">'
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"
