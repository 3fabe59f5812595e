"""A shared folder to the Hugging Face hub."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import HfApi
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id

from maspo.errors import ConfigError, DataError
from maspo.files import files_below


class Upload(NamedTuple):
    """What goes where."""

    repository: str
    kind: str  # model or dataset
    files: list[tuple[str, int]]  # (path in the repository, bytes)


def plan_upload(folder: Path, repository: str) -> Upload:
    """Return what would be uploaded; nothing is sent and no hub is asked.

    Raises:
        DataError: the folder is not one that `share` wrote: it has no card, or links.
        ConfigError: the repository's name is none of the hub.
    """
    card = folder / "README.md"
    if not card.is_file():
        raise DataError(f"{folder} has no README.md: make it by python -m maspo.steps.share")
    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        raise ConfigError(f"{repository!r} is no name on the hub: {error}") from error
    if "/" not in repository:
        raise ConfigError(f"{repository!r} names no owner: write OWNER/{repository}")
    kind = "model" if (folder / "config.json").is_file() else "dataset"
    return Upload(repository, kind, list(listed(folder)))


def listed(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield path and bytes of every file of a folder that is not hidden."""
    for path in files_below(folder):
        name = path.relative_to(folder)
        if path.is_symlink():
            raise DataError(f"{path} is a link: only files of the folder itself are uploaded")
        if not any(part.startswith(".") for part in name.parts):
            yield name.as_posix(), path.stat().st_size


def upload(folder: Path, planned: Upload, private: bool) -> str:
    """Upload what was planned, with the token of `hf auth login`; return the commit's address.

    Raises:
        DataError: the hub cannot be reached, or refuses.
    """
    api = HfApi()
    try:
        api.create_repo(planned.repository, repo_type=planned.kind, private=private, exist_ok=True)
        done = api.upload_folder(
            folder_path=folder,
            repo_id=planned.repository,
            repo_type=planned.kind,
            allow_patterns=[name for name, _ in planned.files],
            commit_message="Upload by maspo",
        )
    except Exception as error:  # no network, no token, no right: many types
        raise DataError(
            f"the hub did not take {folder} as {planned.repository} ({type(error).__name__}: "
            f"{error}): `hf auth whoami` tells who you are there"
        ) from error
    return done.commit_url
