"""The sources of the documentation site: links, images, and a place in the menu for each page."""

import importlib.util
import tomllib

import pytest

from project import ROOT

REPOSITORY = "https://example.org/maspo"
SPEC = importlib.util.spec_from_file_location("build_site", ROOT / "docs" / "site" / "build.py")
build = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(build)


@pytest.fixture
def stage(tmp_path):
    return build.Stage(tmp_path / "docs", REPOSITORY)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("[a](scales.md#before-the-first-run)", "[a](scales.md#before-the-first-run)"),
        ("[a](methods/README.md)", "[a](methods/README.md)"),
        ("[a](../README.md#scales)", "[a](../index.md#scales)"),
        ("[a](../CHANGELOG.md)", "[a](../CHANGELOG.md)"),
        ("[`a[b]`](../maspo/files.py#L3)", f"[`a[b]`]({REPOSITORY}/blob/main/maspo/files.py#L3)"),
        ("[a](../configs/task/)", f"[a]({REPOSITORY}/tree/main/configs/task)"),
        ("[a](https://arxiv.org/abs/2602.17550)", "[a](https://arxiv.org/abs/2602.17550)"),
        ("[a](#here)", "[a](#here)"),
        ("\n```\n[a](none.md)\n```\n", "\n```\n[a](none.md)\n```\n"),
    ],
)
def test_links_of_a_page(stage, link, expected):
    assert stage.rewrite("docs/data.md", f"see {link}, and") == f"see {expected}, and"


def test_without_an_address_a_link_out_of_the_site_is_its_text(tmp_path):
    stage = build.Stage(tmp_path, None)
    text = "[`files.py`](../maspo/files.py) [scales](scales.md) [a](https://arxiv.org)"
    expected = "`files.py` [scales](scales.md) [a](https://arxiv.org)"
    assert stage.rewrite("docs/data.md", text) == expected


def test_an_image_is_copied_and_its_link_kept(stage):
    path = "reference/mini/figures/stability.png"
    text = f"[![Stability](../{path})](../README.md)"
    assert stage.rewrite("docs/data.md", text) == f"[![Stability](../{path})](../index.md)"
    assert (stage.folder / path).read_bytes() == (ROOT / path).read_bytes()


@pytest.mark.parametrize("path", ["../maspo/none.py", "none.md", "../../../etc/passwd"])
def test_a_link_to_nothing_is_refused(stage, path):
    with pytest.raises(ValueError, match=rf"docs/data.md links to {path}"):
        stage.rewrite("docs/data.md", f"see [this]({path})")


def test_every_page_is_written_and_has_one_place_in_the_menu(stage):
    stage.write()
    written = {path.relative_to(stage.folder).as_posix() for path in stage.folder.rglob("*.md")}
    menu = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]
    named = []
    for entry in menu:
        (inside,) = entry.values()
        named += [inside] if isinstance(inside, str) else [next(iter(p.values())) for p in inside]
    assert sorted(named) == sorted(written)
    assert "::: maspo.objectives.maspo\n" in (stage.folder / "api" / "methods.md").read_text()
