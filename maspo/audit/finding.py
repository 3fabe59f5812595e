"""What an audit has to say."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """A failure makes the audit fail; a note is listed, for the reader to judge."""

    FAILURE = "failure"
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
        """Return one line."""
        what = f"expected {self.expected}, found {self.found}"
        return f"{self.severity} [{self.check}] {self.file}: {what}"

    def as_dict(self) -> dict[str, str]:
        """Return plain strings by name."""
        return {name: str(value) for name, value in asdict(self).items()}


def note(check: str, file: str, expected: str, found: str) -> Finding:
    """Return a finding that does not fail the audit."""
    return Finding(check, file, expected, found, Severity.NOTE)
