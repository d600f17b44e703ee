"""Unknown names come with the nearest known one."""

import pytest

from label_editing.names import nearest, unknown_name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cra", "unknown class 'cra'; did you mean 'car'?"),
        ("zzz", "unknown class 'zzz'; known: car, truck"),
    ],
)
def test_an_unknown_name_is_reported(name: str, message: str) -> None:
    assert unknown_name("class", name, iter(["car", "truck"])) == message


def test_nothing_is_nearest_among_nothing() -> None:
    assert nearest("car", []) is None
    assert unknown_name("class", "car", []) == "unknown class 'car'; none is known"


def test_of_many_names_some_are_listed() -> None:
    keys = [f"f{k:03d}" for k in range(42)]
    assert unknown_name("key", "zzz", keys) == f"unknown key 'zzz'; known: {', '.join(keys[:40])} and 2 more"
