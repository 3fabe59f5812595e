"""Which code a step ran: the commit of this checkout, and what was changed or added since."""

import os
import subprocess
from pathlib import Path

from maspo.files import sha256

ROOT = Path(__file__).parents[2]
LARGEST = 1_000_000  # bytes of an untracked file whose content is kept; of larger ones the hash is
# Whatever the user's own settings and environment say, a patch is the same text.
OPTIONS = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=true", "-c", "color.ui=false")
DIFF = (
    *("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--binary", "--full-index"),
    *("--src-prefix=a/", "--dst-prefix=b/", "--no-renames", "--ignore-submodules=none"),
)


class GitRefusedError(Exception):
    """Git is there and this is its checkout, but it does not tell; the message is git's."""


def git(*words: str, allowed: tuple[int, ...] = (0,)) -> bytes:
    """Return what git says of this checkout, without the user's settings.

    Raises:
        GitRefusedError: the exit status is not one of the `allowed`.
        OSError: there is no git.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    fixed = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    # A checkout of another user is read as well: its code runs here anyway.
    place = ["-C", str(ROOT), "-c", f"safe.directory={ROOT}"]
    done = subprocess.run(
        ["git", *place, *OPTIONS, *words],
        env={**kept, **fixed, "GIT_OPTIONAL_LOCKS": "0"},
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode not in allowed:
        raise GitRefusedError(done.stderr.decode(errors="replace").strip())
    return done.stdout


def is_checkout() -> bool:
    """Return whether this package lies at the top of a checkout of its own.

    An unpacked archive inside another repository does not: that one's commit says nothing here.
    """
    return (ROOT / ".git").exists()


def commit() -> str:
    """Return the commit of the checkout."""
    return git("rev-parse", "--verify", "HEAD").decode().strip()


def knows(name: str) -> bool:
    """Return whether the checkout has a commit of this name."""
    try:
        git("cat-file", "-e", f"{name}^{{commit}}")
    except GitRefusedError:
        return False
    return True


def changes() -> str:
    """Return what differs from the commit, new files with their content; empty if nothing."""
    status = git("status", "--porcelain=v1", "--untracked-files=all", "--ignore-submodules=none")
    if not status:
        return ""
    texts = [status, git(*DIFF, "HEAD")]
    untracked = git("ls-files", "--others", "--exclude-standard", "-z").split(b"\0")
    texts += [added(os.fsdecode(name)) for name in sorted(filter(None, untracked))]
    return b"\n".join(texts).decode(errors="backslashreplace")


def added(name: str) -> bytes:
    """Return an untracked file as a patch that adds it; of a large one, its SHA-256."""
    path = ROOT / name
    if path.is_file() and path.stat().st_size > LARGEST:
        return f"untracked {name}: SHA-256 {sha256(path)}\n".encode(errors="backslashreplace")
    if not path.is_file() and not path.is_symlink():
        return f"untracked {name}: no file\n".encode(errors="backslashreplace")
    return git(*DIFF, "--no-index", "--", os.devnull, name, allowed=(0, 1))
