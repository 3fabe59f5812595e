"""Successive halving of one family by Optuna: which trials there are, and which are stopped.

Optuna's pruner is the asynchronous form (ASHA): one trial after the other, each compared at a rung
with all that came there before it. A draw depends on the trial's number and on the trials before
it, so a search that was killed goes on with the trials that it would have had.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from maspo.errors import ConfigError
from maspo.search.settings import Search
from maspo.search.space import draw, usual
from maspo.seeding import derive_seed

INSTALL = "pip install -c constraints/cpu.txt -c constraints/extras.txt -e '.[search]'"


class Runs(Protocol):
    """What trains the trials of a family."""

    def reach(self, trial: int, chosen: dict[str, Any], rung: int) -> float:
        """Train a trial up to a rung, from where it is; return its accuracy there."""

    def keep(self, trial: int) -> None:
        """Keep the logs of a trial that has ended."""


@dataclass(frozen=True)
class Outcome:
    """One trial that has ended: its settings, and its accuracy by rung."""

    family: str
    trial: int
    chosen: dict[str, Any]
    accuracy: dict[int, float]
    complete: bool  # it came to the last rung

    @property
    def steps(self) -> int:
        """The steps that each of its runs was trained."""
        return max(self.accuracy)

    @property
    def value(self) -> float:
        """Its accuracy at the last rung that it came to."""
        return self.accuracy[self.steps]


def import_optuna() -> Any:
    """Return Optuna, which tells only of faults from now on.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise ConfigError(f"a search needs Optuna ({error}): {INSTALL}") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def halve(
    family: str,
    search: Search,
    runs: Runs,
    journal: Path,
    identity: str,
    tell: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Return all trials of a family, after making those that the journal does not have yet.

    Args:
        family: a name of `search.families`.
        search: its settings.
        runs: trains.
        journal: Optuna's file, of all families.
        identity: of everything besides the number of trials that the outcomes depend on.
        tell: is told every trial that ends.

    Raises:
        ConfigError: the journal is of another search, or Optuna is not installed.
    """
    optuna = import_optuna()
    backend = optuna.storages.journal.JournalFileBackend(str(journal))
    study = optuna.create_study(
        study_name=family,
        storage=optuna.storages.JournalStorage(backend),
        pruner=optuna.pruners.SuccessiveHalvingPruner(search.rungs[0], search.reduction),
        direction="maximize",
        load_if_exists=True,
    )
    if study.user_attrs.get("identity", identity) != identity:
        raise ConfigError(
            f"{journal} holds a search of {family} with other settings, code of another version or "
            "other base policies: go on with those, or give results=... another folder"
        )
    if not study.trials:
        study.set_user_attr("identity", identity)
        study.enqueue_trial(usual(family, search.families[family]))
    while len(outcomes := list(ended(family, search, study))) < search.trials:
        number = len(outcomes)
        seed = derive_seed(search.sampler_seed, family, number) % 2**32  # numpy's limit
        study.sampler = optuna.samplers.TPESampler(seed=seed)
        try_one(family, search, runs, study, take(optuna, study))
        tell(list(ended(family, search, study))[-1])
    return outcomes[: search.trials]


def take(optuna: Any, study: Any) -> Any:
    """Return the trial that was in work when the search was killed, or the next one."""
    running = study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.RUNNING])
    return optuna.trial.Trial(study, running[0]._trial_id) if running else study.ask()


def try_one(family: str, search: Search, runs: Runs, study: Any, trial: Any) -> None:
    """Train one trial from rung to rung, until it is stopped or at its end."""
    import optuna

    chosen = draw(trial, search.families[family])
    trial.set_user_attr("chosen", chosen)
    known = study.trials[trial.number].intermediate_values
    stopped = False
    for rung, after in zip(search.rungs, [*search.rungs[1:], None], strict=True):
        if after in known:  # it was not stopped here
            continue
        if rung not in known:
            trial.report(runs.reach(trial.number, chosen, rung), rung)
        if stopped := after is not None and trial.should_prune():
            break
    runs.keep(trial.number)
    if stopped:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(trial, study.trials[trial.number].intermediate_values[search.rungs[-1]])


def ended(family: str, search: Search, study: Any) -> Iterator[Outcome]:
    """Yield the trials of a study that have ended, in their order."""
    for trial in study.trials:
        if trial.state.is_finished():
            yield Outcome(
                family,
                trial.number,
                trial.user_attrs["chosen"],
                dict(trial.intermediate_values),
                search.rungs[-1] in trial.intermediate_values,
            )
