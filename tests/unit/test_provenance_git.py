"""Which code ran: a commit and every change, new files with their content, whoever asks."""

import os
import subprocess

import pytest

from maspo.provenance import git
from maspo.provenance.manifest import git_state


def run(folder, *words):
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", folder, *identity, *words], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Return a clean checkout with one file, taken for that of the package."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    run(folder, "init", "--quiet")
    (folder / "code.py").write_text("x = 1\n")
    (folder / ".gitignore").write_text("results/\n")
    run(folder, "add", ".")
    run(folder, "commit", "--quiet", "--message", "one")
    monkeypatch.setattr(git, "ROOT", folder)
    return folder


def patch(state, results):
    return (results / "patches" / f"{state['patch']}.patch").read_text()


def test_a_clean_checkout_is_its_commit(checkout, tmp_path):
    state = git_state(tmp_path)
    assert (len(state["commit"]), state["clean"], state["patch"]) == (40, True, None)
    assert not (tmp_path / "patches").exists()
    assert git.knows(state["commit"])
    assert not git.knows("0" * 40)


def test_new_files_are_kept_with_their_content(checkout, tmp_path):
    """Two new objectives of one name are two patches."""
    names = ["new.py", "sub/äöü new.py", "-v.py", "a\nb.py"]
    (checkout / "sub").mkdir()
    patches = []
    for content in ("alpha = 0.3\n", "alpha = 0.9\n"):
        for name in names:
            (checkout / name).write_text(content)
        state = git_state(tmp_path)
        assert not state["clean"]
        patches.append(patch(state, tmp_path))
        assert patches[-1].count(f"+{content}") == len(names)
    assert patches[0] != patches[1]


def test_a_change_and_a_deletion_are_kept(checkout, tmp_path):
    (checkout / "code.py").write_text("x = 2\n")
    (checkout / ".gitignore").unlink()
    text = patch(git_state(tmp_path), tmp_path)
    assert "-x = 1\n+x = 2\n" in text
    assert "-results/" in text


def test_of_a_large_new_file_the_hash_is_kept(checkout, tmp_path, monkeypatch):
    monkeypatch.setattr(git, "LARGEST", 10)
    (checkout / "weights.bin").write_bytes(b"0" * 11)
    first = git_state(tmp_path)
    assert "untracked weights.bin: SHA-256 " in patch(first, tmp_path)
    (checkout / "weights.bin").write_bytes(b"1" * 11)
    assert git_state(tmp_path)["patch"] != first["patch"]


def test_the_settings_of_a_user_do_not_reach_a_patch(checkout, tmp_path, monkeypatch):
    (checkout / "code.py").write_text("x = 2\n")
    (checkout / "new.py").write_text("y = 1\n")
    plain = git_state(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[color]\n ui = always\n[diff]\n noprefix = true\n external = false\n"
        "[status]\n showUntrackedFiles = no\n[core]\n excludesFile = ~/ignored\n"
    )
    (home / "ignored").write_text("new.py\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIFF_OPTS", "--unified=0")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    assert git_state(tmp_path) == plain
    run(checkout, "config", "diff.noprefix", "true")
    run(checkout, "config", "status.showUntrackedFiles", "no")
    run(checkout, "config", "color.ui", "always")
    assert git_state(tmp_path) == plain


def test_variables_of_git_do_not_lead_elsewhere(checkout, tmp_path, monkeypatch):
    """A hook of another repository calls us with its own GIT_DIR."""
    other = tmp_path / "other"
    other.mkdir()
    run(other, "init", "--quiet")
    run(other, "commit", "--quiet", "--allow-empty", "--message", "other")
    here = git_state(tmp_path)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert git_state(tmp_path) == here


def test_an_archive_unpacked_in_another_repository_is_no_checkout(checkout, tmp_path, monkeypatch):
    inside = checkout / "results" / "maspo-0.4.0"
    inside.mkdir(parents=True)
    monkeypatch.setattr(git, "ROOT", inside)
    assert git_state(tmp_path) is None


def test_a_checkout_of_another_owner_is_read(checkout, tmp_path):
    if os.getuid() != 0:
        pytest.skip("needs root, to give files away")
    here = git_state(tmp_path)
    for path in [checkout, *checkout.rglob("*")]:
        os.chown(path, 12345, 12345)
    assert git_state(tmp_path) == here


def test_what_git_says_when_it_refuses_is_kept(checkout, tmp_path):
    (checkout / ".git" / "HEAD").write_text("nonsense\n")
    assert "not a git repository" in git_state(tmp_path)["refused"]


def test_no_git_at_all_is_told(checkout, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git" in git_state(tmp_path)["refused"]
