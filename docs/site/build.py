"""Build the documentation site: README.md, docs/ and the API from its docstrings.

    python docs/site/build.py        # `make docs` installs what it needs

The pages lie in build/docs as they lie in the repository, so the links between them hold as they
stand on GitHub. A link to any other file of the repository becomes an address below `repo_url`
(zensical.toml), or its text alone where that is not set. Zensical then writes site/; it checks
links and anchors, and its first warning is an error.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "zensical.toml"
STAGED = ROOT / "build" / "docs"  # docs_dir in zensical.toml
HOME = "README.md"
PAGES = (HOME, "CHANGELOG.md", "CONTRIBUTING.md")
IMAGES = {".png", ".svg"}
LINK = re.compile(
    r"\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<path>[^()\s#]+)(?P<anchor>#[^()\s]*)?\)"
)
FENCED = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)
# Of griffe and mkdocstrings, whose warnings are none for Zensical.
DOCSTRING_WARNING = re.compile(r"^(griffe|mkdocs\w*): ", re.MULTILINE)

# What others import; a page each. Names that a module of the same name hides are given in full.
API = {
    "objectives": [
        *("maspo.objectives", "maspo.objectives.base.Tokens", "maspo.objectives.base.Surrogate"),
    ],
    "methods": [
        f"maspo.objectives.{name}"
        for name in (
            *("grpo", "clip_higher", "dac", "bapo", "entropy_adv", "sapo", "sapo_unilateral"),
            *("maspo", "gate", "dgpo", "cispo", "gspo", "dr_grpo", "primitives"),
        )
    ],
    "verifier": ["maspo.verifier"],
    "evaluation": ["maspo.evaluation", "maspo.evaluation.records"],
    "statistics": [
        *("maspo.statistics", "maspo.statistics.comparisons.comparisons"),
        *("maspo.statistics.outcomes.outcomes", "maspo.statistics.sequential"),
    ],
    "training": ["maspo.training.loop", "maspo.training.rollouts", "maspo.training.advantages"],
    "policy": ["maspo.policy"],
    "sampling": ["maspo.sampling", "maspo.sampling.transformers", "maspo.sampling.vllm"],
    "tasks": ["maspo.tasks"],
    "config": ["maspo.config"],
    "integrations": [
        *("maspo.integrations.trl", "maspo.integrations.verl.loss"),
        *("maspo.integrations.verl.reward", "maspo.integrations.verl.plugin"),
    ],
}


def pages() -> list[str]:
    """Return the repository's pages, as paths below its root."""
    found = sorted((ROOT / "docs").rglob("*.md"))
    return [*PAGES, *(path.relative_to(ROOT).as_posix() for path in found)]


def staged(page: str) -> str:
    """Return where a page of the repository lies in the site's sources."""
    return "index.md" if page == HOME else page


class Stage:
    """The sources of the site in a folder.

    Args:
        folder: where they go; what it holds is deleted first.
        repository: address of the repository, or None if it is not known.
    """

    def __init__(self, folder: Path, repository: str | None) -> None:
        self.folder, self.repository = folder, repository
        self.pages = pages()

    def write(self) -> None:
        """Write every page, the images that they show, and the API's pages.

        Raises:
            ValueError: a link leads to a file that does not exist, or out of the repository.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        for page in self.pages:
            self._put(staged(page), self.rewrite(page, (ROOT / page).read_text()))
        for name, modules in API.items():
            blocks = "".join(f"\n::: {module}\n" for module in modules)
            self._put(f"api/{name}.md", f"# {name.capitalize()}\n{blocks}")
        shutil.copy(Path(__file__).with_name("math.js"), self.folder)

    def _put(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def rewrite(self, page: str, text: str) -> str:
        """Return a page's text with its links for the site; code blocks stay as they are."""
        parts = FENCED.split(text)
        parts[::2] = [LINK.sub(lambda link: self._link(page, link), part) for part in parts[::2]]
        return "".join(parts)

    def _link(self, page: str, link: re.Match[str]) -> str:
        text, path, anchor = link["text"], link["path"], link["anchor"] or ""
        text = LINK.sub(lambda inner: self._link(page, inner), text)
        if re.match(r"[a-z]+:", path):
            return f"[{text}]({path}{anchor})"
        target = (ROOT / page).parent.joinpath(path).resolve()
        if not target.is_relative_to(ROOT) or not target.exists():
            raise ValueError(f"{page} links to {path}, which is no file of the repository")
        name = target.relative_to(ROOT).as_posix()
        if name in self.pages:
            here = Path(staged(page)).parent
            return f"[{text}]({os.path.relpath(staged(name), here)}{anchor})"
        if target.suffix in IMAGES:
            copy = self.folder / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(target, copy)
            return f"[{text}]({path})"
        if self.repository is None:
            return text
        kind = "tree" if target.is_dir() else "blob"
        return f"[{text}]({self.repository}/{kind}/main/{name}{anchor})"


def main() -> int:
    """Write the sources, then the site; return Zensical's status."""
    project = tomllib.loads(CONFIG.read_text())["project"]
    Stage(STAGED, project.get("repo_url")).write()
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    print(done.stdout, end="")
    return done.returncode or int(bool(DOCSTRING_WARNING.search(done.stdout)))


if __name__ == "__main__":
    sys.exit(main())
