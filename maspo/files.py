"""Writing results so that a kill or a full disk leaves either the old file or the new one."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Any

from maspo.errors import DataError
from maspo.layout import missing

UTF_8 = "utf-8-sig"  # with or without a byte order mark, which editors of Windows put before it


@contextmanager
def atomic(path: Path | str, *failures: type[Exception]) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it to `path` if the block succeeds.

    The block may create a file or a directory there. On an error the temporary name is removed
    and whatever `path` held before stays whole. An OSError of the block (a full disk, say), or
    what else its library raises then (`failures`), becomes a `DataError` that names the file.
    What a killed process left of the same file is removed first.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{escape(path.name)}.*.tmp"):
            if not _alive(left):
                _remove(left)
        yield temporary
        _sync(temporary)
        if path.is_symlink():  # into Snakemake's cache, whose entry stays as it is
            path.unlink()
        elif path.is_dir():
            shutil.rmtree(path)
        os.replace(temporary, path)
    except (OSError, *failures) as error:
        raise DataError(f"could not write {path}: {error}") from error
    finally:
        _remove(temporary)


def _alive(temporary: Path) -> bool:
    """Tell whether the process that a temporary name belongs to still runs on this machine."""
    pid = temporary.name.split(".")[-2]
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):
        pass
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(
        OSError
    ):  # a file system that became read-only: the first error is the one to tell
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())


def write_text(path: Path | str, text: str) -> None:
    """Write `text` to `path` atomically, as UTF-8."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path | str, value: Any) -> None:
    """Write `value` to `path` atomically, as indented JSON with a final newline."""
    write_text(path, json.dumps(value, indent=2, sort_keys=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Read a JSON file; a missing or truncated one raises `DataError` with its name."""
    try:
        text = Path(path).read_text(encoding=UTF_8)
        return json.loads(text, object_pairs_hook=unique, parse_constant=no_number)
    except FileNotFoundError as error:
        raise DataError(missing(path)) from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"could not read {path} as JSON: {error}") from error


def no_number(name: str) -> None:
    """Refuse NaN and Infinity, which JSON does not have."""
    raise ValueError(f"{name} is no JSON")


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs of a JSON object; ValueError if a name comes twice."""
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"{twice} come more than once in one object")
    return value


def read_json_lines(path: Path | str) -> list[dict[str, Any]]:
    """Read the objects of a JSON-lines file; blank lines count for nothing.

    Raises:
        DataError: the file is missing or cut, or a line is no JSON object; the message names it.
    """
    rows: list[dict[str, Any]] = []
    try:
        with Path(path).open(encoding=UTF_8) as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                rows.append(_json_object(line, f"{path}, line {number}"))
    except FileNotFoundError as error:
        raise DataError(missing(path)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"could not read {path}: {error}") from error
    return rows


def _json_object(line: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        fault = "correct the line" if line.endswith("\n") else "the file is cut"
        raise DataError(f"{where}, is not JSON ({error}): {fault}") from error
    if not isinstance(value, dict):
        raise DataError(f"{where}, is {line.strip()[:40]}, not an object in braces")
    return value


def files_below(
    folder: Path, follow: Callable[[Path], bool] = lambda link: True, above: tuple[Path, ...] = ()
) -> Iterator[Path]:
    """Yield every file below a folder, sorted by path, also behind links to folders.

    Not behind links that are not to be followed, nor behind one that leads back to a folder
    `above`. A folder that is not there has none.
    """
    real = folder.resolve()
    if real in above or not real.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if not path.is_symlink() or follow(path):
                yield from files_below(path, follow, (*above, real))
        elif path.is_file():
            yield path


def sha256(path: Path | str) -> str:
    """Return the SHA-256 of a file, or of a directory's relative names and contents.

    Hidden files of a directory do not count: Snakemake leaves its timestamp in the ones it made.
    Nor does what lies behind links to folders: no step leaves such in its outputs.
    """
    path = Path(path)
    digest = hashlib.sha256()
    if path.is_dir():
        for file in files_below(path, follow=lambda link: False):
            if not file.name.startswith("."):
                digest.update(f"{file.relative_to(path).as_posix()}\x00{sha256(file)}\n".encode())
        return digest.hexdigest()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
