"""What the audit finds in a results folder whose parts lie elsewhere."""

from maspo.audit.chain import strangers
from maspo.audit.tree import Tree
from maspo.files import write_json, write_text


def test_manifests_and_strangers_behind_a_linked_folder_are_seen(tmp_path):
    root, disk = tmp_path / "results", tmp_path / "disk" / "runs"
    write_json(root / "data" / "manifest.json", {"outputs": {}})
    write_json(disk / "maspo" / "seed_1" / "manifest.json", {"outputs": {}})
    write_text(disk / "maspo" / "seed_1" / "better.csv", "")
    (root / "runs").symlink_to(disk)
    tree = Tree(root)
    assert list(tree.manifests) == ["data/manifest.json", "runs/maspo/seed_1/manifest.json"]
    assert [finding.file for finding in strangers(tree, {})] == ["runs/maspo/seed_1/better.csv"]
