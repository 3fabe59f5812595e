"""One file for a repository of data: results as an RO-Crate, zipped, with a licence and checksums.

RO-Crate 1.1 (https://www.researchobject.org/ro-crate/) lists every file with what it is, how long
it is and its SHA-256. Written twice from the same results, the archive is the same bytes.
"""

import mimetypes
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from maspo import __version__
from maspo.audit.tree import Tree, digest
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
        hidden = any(part.startswith(".") for part in parts)
        unwanted = parts[0] == "checkpoints" or (WEIGHTS & set(parts) and not policies)
        return path.is_file() and not hidden and not unwanted

    files = sorted(filter(belongs, files_below(results)), key=lambda path: path.as_posix())
    stated = None
    for path in files:
        if not path.resolve().is_relative_to(results.resolve()):
            stated = stated_hashes(results) if stated is None else stated
            check_link(path, results, stated)
    return files


def stated_hashes(results: Path) -> dict[str, str]:
    """Return the SHA-256 of every output by its name, as the manifests state them."""
    manifests = Tree(results).manifests.values()
    return {name: digest for m in manifests for name, digest in m["outputs"].items()}


def check_link(path: Path, results: Path, stated: Mapping[str, str]) -> None:
    """Refuse a file behind a link out of the folder, unless a manifest states its very hash.

    Snakemake's cache leaves such links; any other could bring in whatever the user may read.

    Raises:
        DataError: it is no output of a step.
    """
    for place in (path, *path.parents):
        if place == results:
            break
        if sha256(place) == stated.get(place.relative_to(results).as_posix()):
            return
    raise DataError(
        f"{path} leads out of the results, to {path.resolve()}, and is no output of a step: "
        "delete the link, then archive again"
    )


def check_audit(results: Path) -> None:
    """Refuse an audit of other results than these: it would vouch for what it never saw.

    Raises:
        DataError: ``audit/audit.json`` states another digest than the folder has.
    """
    path = results / "audit" / "audit.json"
    if path.is_file() and read_json(path).get("digest") != digest(results):
        raise DataError(
            f"{path} is an audit of other files than those that are there now: audit again with "
            f"python -m maspo.steps.audit {results}, or delete {path.parent}"
        )


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
            inside = sorted(path for path in source.rglob("*") if path.is_file())
            entries |= {f"{name}/{path.relative_to(source).as_posix()}": path for path in inside}
    entries["LICENSE"] = licence
    finished = read_json(results / "data" / "manifest.json")["time"]["finished"]
    crate = describe(entries, results.name, finished)
    with tempfile.TemporaryDirectory() as folder, atomic(target) as temporary:
        crate.metadata.write(folder)
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, source in {METADATA: Path(folder) / METADATA, **entries}.items():
                info = zipfile.ZipInfo(name, EPOCH)
                info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                with source.open("rb") as content, archive.open(info, "w") as copy:
                    shutil.copyfileobj(content, copy)
    return len(entries)


def describe(entries: Mapping[str, Path], scale: str, finished: str) -> ROCrate:
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
    for name, path in entries.items():
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        properties = {
            "name": name.rpartition("/")[2],
            "encodingFormat": kind,
            "contentSize": str(path.stat().st_size),
            "sha256": sha256(path),
        }
        crate.add_file(path, name, properties=properties)
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
    listed = {entity.id: entity for entity in crate.data_entities if entity.get("sha256")}
    present = {path.relative_to(folder).as_posix(): path for path in files_below(folder)}
    present = {name: path for name, path in present.items() if path.is_file()}
    faults = [f"{name} is missing" for name in listed.keys() - present.keys()]
    faults += [f"{name} is not listed" for name in present.keys() - listed.keys() - {METADATA}]
    for name in listed.keys() & present.keys():
        expected, found = listed[name]["sha256"], sha256(present[name])
        if found != expected:
            faults.append(f"{name} has SHA-256 {found}, listed is {expected}")
    if faults:
        raise DataError(f"{folder}: " + "; ".join(sorted(faults)))
    return len(listed)
