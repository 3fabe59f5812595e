"""Files of data sets on the Hugging Face hub: found, checked against their pins, and read.

Everything that touches the hub is here. A machine without it sets ``task.local_dir`` to a folder
that holds the same files as ``<local_dir>/<repo>/<file>``.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from maspo.config import HubFile
from maspo.errors import DataError
from maspo.files import sha256

COMMIT = re.compile(r"[0-9a-f]{40}")
BATCH = 10_000  # rows read at a time


@dataclass(frozen=True)
class Fetched:
    """A file on this machine and what identifies it.

    `resolved` is the commit that the hub served, None for a copy in ``task.local_dir``.
    """

    source: HubFile
    path: Path
    resolved: str | None
    sha256: str

    @property
    def pinned(self) -> bool:
        """Whether the settings allow these very bytes and no others."""
        return self.source.sha256 is not None or (
            self.resolved is not None and COMMIT.fullmatch(self.source.revision) is not None
        )

    def describe(self) -> dict[str, Any]:
        """Return what the data report says of the file."""
        return {
            "repo": self.source.repo,
            "file": self.source.file,
            "revision": self.source.revision,
            "resolved_revision": self.resolved,
            "sha256": self.sha256,
            "pinned": self.pinned,
        }


def fetch(source: HubFile, local_dir: str | None, setting: str) -> Fetched:
    """Return the file, from `local_dir` if that is given, else from the hub or its cache.

    Args:
        source: repository, file, revision and, where it is known, checksum.
        local_dir: ``task.local_dir``.
        setting: name of the setting that `source` is the value of, for messages.

    Raises:
        DataError: the file cannot be had (the message says which file to put where), or its
            checksum is not the one of the settings.
    """
    if local_dir is not None:
        path, resolved = Path(local_dir) / source.repo / source.file, None
        if not path.is_file():
            raise DataError(f"{setting}: {path} is missing; {remedy(source, local_dir)}")
    else:
        path, resolved = _download(source, setting)
    digest = sha256(path)
    if source.sha256 is not None and digest != source.sha256:
        raise DataError(
            f"{setting}: {path} has SHA-256 {digest}, but {setting}.sha256={source.sha256}: the "
            "file is cut or another version; fetch it again, or set the checksum (null: any) if "
            "the other version is meant"
        )
    return Fetched(source, path, resolved, digest)


def _download(source: HubFile, setting: str) -> tuple[Path, str | None]:
    from huggingface_hub import hf_hub_download  # slow to import, and seldom needed

    try:
        path = hf_hub_download(
            source.repo, source.file, repo_type="dataset", revision=source.revision
        )
    except Exception as error:  # the client raises many types for no network and for no such file
        reason = str(error).strip().partition("\n")[0]
        raise DataError(
            f"{setting}: {source.file} of {source.repo} is neither in the hub's cache nor can it "
            f"be fetched ({type(error).__name__}: {reason}); {remedy(source, 'DATA')}, and set "
            "task.local_dir=DATA, DATA being a folder of yours"
        ) from error
    return Path(path), commit_of(path)


def commit_of(path: Path | str) -> str | None:
    """Return the commit in a path of the hub's cache (``.../snapshots/<commit>/...``)."""
    return next((part for part in Path(path).parts if COMMIT.fullmatch(part)), None)


def remedy(source: HubFile, folder: str) -> str:
    """Return which file to put where, and the command that does it on a machine with network."""
    return (
        f"put the file at {Path(folder) / source.repo / source.file}, for example with: "
        f"hf download {source.repo} {source.file} --repo-type dataset "
        f"--revision {source.revision} --local-dir {Path(folder) / source.repo}"
    )


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet file, `columns` only, without holding or copying all of it.

    Raises:
        DataError: the file cannot be read or lacks a column; the message names those it has.
    """
    try:
        present = pq.read_schema(path).names
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"could not read {path} as Parquet: {error}") from error
    if missing := [name for name in columns if name not in present]:
        raise DataError(f"{path} has no column {missing}: it has {present}; is it the right file?")
    from datasets import load_dataset  # slow to import

    try:
        rows = load_dataset("parquet", data_files=str(path), split="train", streaming=True)
        for batch in rows.select_columns(list(columns)).iter(BATCH):
            for values in zip(*batch.values(), strict=True):
                yield dict(zip(batch, values, strict=True))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read to its end ({error}): fetch it again") from error
