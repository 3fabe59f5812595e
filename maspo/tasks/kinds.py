"""What each kind of task can do: make its problems, and teach a base policy where it has lessons.

The steps, the RL loop and the audit ask here and know no task by its name. How a problem is
put to a policy is in the problem (`Problem.messages`), how an answer is read in the settings
(`task.extraction`), so these two need no function.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from maspo.config import HubTask, ModularTask, Supervised, Task, WordsTask
from maspo.tasks.facts import teach_modular
from maspo.tasks.hub_task import make_hub
from maspo.tasks.modular import make_modular, right_steps
from maspo.tasks.problems import Lessons, TaskData
from maspo.tasks.words import make_words, teach_words


@dataclass(frozen=True)
class TaskKind:
    """The functions of one kind of task; the first argument of each is its settings.

    `repeatable`: the problems follow from the settings alone, so the audit makes them again.
    `teach` gives what the base policy of a seed is taught; None: nothing, take a published policy.
    `credit` gives the share of right steps of a wrong completion, from question and completion;
    None: the task has no steps (`Task.has_steps`).
    """

    make: Callable[[Any], TaskData]
    repeatable: bool = False
    teach: Callable[[Any, Supervised, int], Lessons] | None = None
    credit: Callable[[Any, str, str], float] | None = None


TASKS: dict[type[Task], TaskKind] = {
    ModularTask: TaskKind(make_modular, repeatable=True, teach=teach_modular, credit=right_steps),
    WordsTask: TaskKind(make_words, repeatable=True, teach=teach_words),
    HubTask: TaskKind(make_hub),
}


def task_kind(task: Task) -> TaskKind:
    """Return what the kind of `task` can do."""
    return TASKS[type(task)]
