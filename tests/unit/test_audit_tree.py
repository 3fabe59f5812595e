"""What the audit finds in a results folder whose parts lie elsewhere."""

from maspo.audit import inventory
from maspo.audit.inventory import FILE, strangers
from maspo.audit.tree import Tree
from maspo.files import write_json, write_text


def test_manifests_and_strangers_behind_a_linked_folder_are_seen(tmp_path, monkeypatch):
    monkeypatch.setattr("maspo.audit.tree.read_manifest", lambda path, _: {"outputs": {}})
    root, disk = tmp_path / "results", tmp_path / "disk" / "runs"
    write_json(root / "data" / "manifest.json", {})
    write_json(disk / "maspo" / "seed_1" / "manifest.json", {})
    write_text(disk / "maspo" / "seed_1" / "better.csv", "")
    (root / "runs").symlink_to(disk)
    tree = Tree(root)
    assert list(tree.manifests) == ["data/manifest.json", "runs/maspo/seed_1/manifest.json"]
    allowed = dict.fromkeys(tree.manifests, FILE)
    found = strangers(tree, root, allowed, {"data", "runs", "runs/maspo", "runs/maspo/seed_1"})
    assert [finding.file for finding in found] == ["runs/maspo/seed_1/better.csv"]
    assert inventory.kind_of(root / "runs" / "gone") is None
