"""Grade what a trainer hands over as completions: texts, or conversations of messages."""

from collections.abc import Mapping, Sequence
from typing import Any

from maspo.verifier import Verifier, gold_text


def completion_text(completion: str | Sequence[Mapping[str, Any]]) -> str:
    """Return the text of a completion: of the last assistant message where it is a conversation.

    Parts of a message are joined; what is no text (images, tool calls) has none. A conversation
    without an assistant message is the empty text.
    """
    if isinstance(completion, str):
        return completion
    said = [
        message for message in completion or () if message.get("role", "assistant") == "assistant"
    ]
    content = (said[-1].get("content") if said else None) or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content if part.get("type") == "text")


def rewards(
    verifier: Verifier, completions: Sequence[Any], answers: Sequence[Any]
) -> list[float | None]:
    """Return 1.0 or 0.0 for each completion, None where its row has no gold answer (None).

    Raises:
        DataError: a gold answer is neither text, a number nor a list of those.
    """
    golds = {
        index: gold_text(answer, f"column 'answer', row {index} of the batch")
        for index, answer in enumerate(answers)
        if answer is not None
    }
    texts = [completion_text(completions[index]) for index in golds]
    verdicts = verifier.grade_many(texts, list(golds.values()))
    graded = {index: verdict.reward for index, verdict in zip(golds, verdicts, strict=True)}
    return [graded.get(index) for index in range(len(completions))]
