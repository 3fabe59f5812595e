"""Print one prompt of each benchmark of a real task, as Markdown, for docs/data.md.

It is the content of the user message; a policy's chat template puts its marks around it.
"""

from maspo.config import Experiment, HubTask
from maspo.errors import ConfigError
from maspo.inert import code, fenced, in_markdown
from maspo.steps.common import run_step
from maspo.tasks.hub_task import load_benchmarks


def prompts(experiment: Experiment) -> None:
    """Print the first prompt of every benchmark."""
    if not isinstance(experiment.task, HubTask):
        raise ConfigError(f"task.kind={experiment.task.kind!r} has no prompts to show: use hub")
    benchmarks, _, _ = load_benchmarks(experiment.task)
    for name, collection in benchmarks.items():
        problem = next(iter(collection.problems.values()))
        content = problem.messages[0]["content"]
        answer = code(problem.answer)
        print(f"### {in_markdown(name)}\n\n{fenced(content)}\n\nAnswer: {answer}\n")


if __name__ == "__main__":
    run_step(prompts)
