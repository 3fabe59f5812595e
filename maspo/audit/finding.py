"""What an audit has to say."""

from dataclasses import asdict, dataclass
from enum import StrEnum

from maspo.inert import printable

LONGEST = 1000  # characters of a finding


class Severity(StrEnum):
    """A failure makes the audit fail; a note is listed, for the reader to judge.

    Not checked: what was asked for could not be compared here. That is no pass.
    """

    FAILURE = "failure"
    NOT_CHECKED = "not checked"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    check: str
    file: str  # relative to the results, or to the project
    expected: str
    found: str
    severity: Severity = Severity.FAILURE

    def __str__(self) -> str:
        """Return one line of printable characters."""
        what = f"expected {self.expected}, found {self.found}"
        return shortened(printable(f"{self.severity} [{self.check}] {self.file}: {what}"))

    def as_dict(self) -> dict[str, str]:
        """Return plain strings by name."""
        return {name: str(value) for name, value in asdict(self).items()}


def note(check: str, file: str, expected: str, found: str) -> Finding:
    """Return a finding that does not fail the audit."""
    return Finding(check, file, expected, found, Severity.NOTE)


def not_checked(check: str, file: str, reason: str, remedy: str) -> Finding:
    """Return what could not be compared, why, and how it can be."""
    return Finding(check, file, remedy, reason, Severity.NOT_CHECKED)


def made_again(version: str | None, finding: Finding) -> Finding:
    """Return what differs from what this package makes of the same files.

    Where another version made the folder (None: this one did), that says nothing: it is not
    checked.
    """
    if version is None:
        return finding
    reason = f"{finding.found}, made by maspo {version}"
    remedy = f"{finding.expected}, in an audit with that version"
    return not_checked(finding.check, finding.file, reason, remedy)


def shortened(text: str) -> str:
    """Return a text that is cut where it is long."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"
