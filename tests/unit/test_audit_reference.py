"""Which settings decide whether results are compared with the reference bit by bit."""

from maspo.audit.reference import known_then

USUAL = {"train": {"lr": 1.0, "cap": None}}


def test_a_setting_that_came_later_and_is_usual_does_not_count():
    theirs = {"train": {"lr": 2.0}, "dtype": "float32"}
    ours = {"train": {"lr": 2.0, "cap": None}, "dtype": "float32"}
    assert known_then(ours, theirs, USUAL) == theirs


def test_every_other_difference_counts():
    theirs = {"train": {"lr": 1.0}}
    for train in ({"lr": 1.0, "cap": 2.0}, {"lr": 1.0, "new": 1}, {"lr": 3.0, "cap": None}, {}):
        assert known_then({"train": train}, theirs, USUAL) != theirs
