"""One file for a repository of data: results as an RO-Crate, zipped, with a licence and checksums.

RO-Crate 1.1 (https://www.researchobject.org/ro-crate/) lists every file with what it is, how long
it is and its SHA-256. Written twice from the same results, the archive is the same bytes.
"""

import hashlib
import mimetypes
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from maspo import __version__
from maspo.audit.inventory import digest
from maspo.audit.tree import Tree
from maspo.errors import DataError
from maspo.files import atomic, files_below, read_json, sha256

METADATA = "ro-crate-metadata.json"
VERSION = "1.1"
CHECKSUM = "https://schema.org/sha256"  # a term of schema.org that RO-Crate's context lacks
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can tell: dates would change its bytes
LICENCE = "https://spdx.org/licenses/Apache-2.0"
PAPER = "https://arxiv.org/abs/2602.17550"
WEIGHTS = {"policy", "snapshots"}


def archive_files(results: Path, policies: bool) -> list[Path]:
    """Return the files of a results folder that belong into its archive, sorted by their path.

    Temporary names and unfinished runs do not; weights (the folders `WEIGHTS`) only if asked.
    """
    if not (results / "data" / "manifest.json").is_file():
        raise DataError(
            f"{results} holds no data/manifest.json, so it is no results folder of a finished "
            "workflow: give one, such as results/mini, or run snakemake first"
        )

    def belongs(path: Path) -> bool:
        parts = path.relative_to(results).parts
        unwanted = parts[0] in ("checkpoints", "view") or (WEIGHTS & set(parts) and not policies)
        return not any(part.startswith(".") for part in parts) and not unwanted

    tree = Tree(results)
    files = files_below(results, lambda link: not hidden(link) and explained(tree, link))
    found = sorted(filter(belongs, files), key=lambda path: path.as_posix())
    for path in found:
        if leaves(tree, path):
            check_copy(tree, path)
    return found


def hidden(path: Path) -> bool:
    """Return whether the name of a path is one that no step gives."""
    return path.name.startswith(".")


def leaves(tree: Tree, path: Path) -> bool:
    """Return whether what a path means lies outside the results."""
    return not path.resolve().is_relative_to(tree.root.resolve())


def explained(tree: Tree, link: Path) -> bool:
    """Return whether a link to a folder stays in the results, or outputs of steps lie behind it.

    Snakemake's cache and a folder that was moved to another disk leave such links; any other could
    bring in whatever the user may read.

    Raises:
        DataError: the link leads out, and no manifest states an output there.
    """
    name = tree.name(link)
    if leaves(tree, link) and not any(f"{out}/".startswith(f"{name}/") for out in tree.stated):
        raise DataError(outside(link))
    return True


def check_copy(tree: Tree, path: Path) -> None:
    """Refuse a file that lies outside, unless it is a manifest or of a hash that one states.

    Raises:
        DataError: it is neither.
    """
    places = [path, *path.parents[: len(path.relative_to(tree.root).parts) - 1]]
    if tree.name(path) not in tree.manifests and not any(
        tree.stated.get(tree.name(place)) == sha256(place) for place in places
    ):
        raise DataError(outside(path))


def outside(path: Path) -> str:
    """Return what to say of a path that must not be archived."""
    return (
        f"{path} leads out of the results, to {path.resolve()}, and is no output of a step: "
        "delete the link, then archive again"
    )


def check_audit(results: Path) -> None:
    """Refuse an audit of other results than these: it would vouch for what it never saw.

    Raises:
        DataError: ``audit/audit.json`` states another digest than the folder has.
    """
    path = results / "audit" / "audit.json"
    if path.is_file() and read_json(path).get("digest") != digest(Tree(results)):
        raise DataError(
            f"{path} is an audit of other files than those that are there now: audit again with "
            f"python -m maspo.steps.audit {results}, or delete {path.parent}"
        )


class Copied(NamedTuple):
    """What was written of one file."""

    size: int  # bytes
    sha256: str


def write_archive(
    target: Path, results: Path, sources: Mapping[str, Path], licence: Path, policies: bool
) -> int:
    """Write `results` as an RO-Crate into the zip file `target`; return the number of files.

    Args:
        sources: other files or folders that make the results readable alone, by their name in
            the archive: ``configs``, say.
        licence: the text of the licence, put in as ``LICENSE``.
        policies: whether the weights of policies go in as well.
    """
    check_audit(results)
    entries = {
        f"results/{results.name}/{path.relative_to(results).as_posix()}": path
        for path in archive_files(results, policies)
    }
    for name, source in sources.items():
        if source.is_file():
            entries[name] = source
        else:
            entries |= {
                f"{name}/{path.relative_to(source).as_posix()}": path
                for path in files_below(source)
            }
    entries["LICENSE"] = licence
    finished = read_json(results / "data" / "manifest.json")["time"]["finished"]
    with (
        tempfile.TemporaryDirectory() as folder,
        atomic(target) as temporary,
        zipfile.ZipFile(temporary, "w") as archive,
    ):
        # Each file is read once: what the list says of it is true even while a build changes it.
        copied = {name: copy_into(archive, name, source) for name, source in entries.items()}
        describe(copied, results.name, finished).metadata.write(folder)
        copy_into(archive, METADATA, Path(folder) / METADATA)
    return len(entries)


def copy_into(archive: zipfile.ZipFile, name: str, source: Path) -> Copied:
    """Copy a file into an open archive; return what was copied.

    Raises:
        DataError: the file is gone since it was listed.
    """
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    size, digest = 0, hashlib.sha256()
    try:
        content = source.open("rb")
    except FileNotFoundError as error:
        raise DataError(
            f"{source} was there and is gone: archive it again when the build has ended"
        ) from error
    with content, archive.open(info, "w", force_zip64=True) as copy:
        while block := content.read(1 << 20):
            size += copy.write(block)
            digest.update(block)
    return Copied(size, digest.hexdigest())


def describe(copied: Mapping[str, Copied], scale: str, finished: str) -> ROCrate:
    """Return the RO-Crate of files by their name in it: its metadata, not their content."""
    crate = ROCrate(version=VERSION)
    crate.name = f"Results of maspo {__version__} at scale {scale}"
    crate.description = (
        f"Tables, figures, claims, every completion with its verdict, training logs, resolved "
        f"configurations and manifests of a replication of MASPO (arXiv 2602.17550), scale {scale}."
    )
    crate.datePublished = finished
    crate.metadata.extra_terms["sha256"] = CHECKSUM
    context = [
        (LICENCE, {"@type": "CreativeWork", "name": "Apache-2.0", "description": "Licence"}),
        (PAPER, {"@type": "ScholarlyArticle", "name": "The replicated paper, MASPO (ACL 2026)"}),
        ("#authors", {"@type": "Organization", "name": "The maspo replication authors"}),
    ]
    licence, paper, authors = [crate.add(ContextEntity(crate, *entry)) for entry in context]
    crate.license, crate.root_dataset["citation"] = licence, paper
    crate.creator = crate.publisher = crate.root_dataset["author"] = authors
    for name, file in copied.items():
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        properties = {
            "name": name.rpartition("/")[2],
            "encodingFormat": kind,
            "contentSize": str(file.size),
            "sha256": file.sha256,
        }
        crate.add_file(name, name, properties=properties)
    return crate


def check_archive(folder: Path) -> int:
    """Check an unpacked archive against its own list; return the number of files.

    Raises:
        DataError: a file is missing, is not listed or has other bytes; the message names all.
    """
    try:
        crate = ROCrate(folder)
    except Exception as error:  # the library reads what anybody may have written
        raise DataError(f"{folder} is no unpacked RO-Crate: {error!r}") from error
    entities = [entity for entity in crate.data_entities if entity.get("sha256")]
    listed = {unquote(entity.id): entity for entity in entities}  # %40 for the @ of a variant
    present = {path.relative_to(folder).as_posix(): path for path in files_below(folder)}
    faults = [f"{name} is missing" for name in listed.keys() - present.keys()]
    faults += [f"{name} is not listed" for name in present.keys() - listed.keys() - {METADATA}]
    for name in listed.keys() & present.keys():
        expected, found = listed[name]["sha256"], sha256(present[name])
        if found != expected:
            faults.append(f"{name} has SHA-256 {found}, listed is {expected}")
    if faults:
        raise DataError(f"{folder}: " + "; ".join(sorted(faults)))
    return len(listed)
