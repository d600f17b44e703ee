import pytest

from pipeline.glance import spread


@pytest.mark.parametrize(("most", "found"), [(3, "ace"), (2, "ae"), (1, "a"), (0, ""), (5, "abcde"), (9, "abcde")])
def test_a_few_are_spread_evenly_from_the_first_to_the_last(most: int, found: str) -> None:
    assert spread("abcde", most) == list(found)


def test_without_a_limit_and_of_nothing_all_come() -> None:
    assert spread("abc", None) == ["a", "b", "c"]
    assert spread("", 3) == []


def test_none_comes_twice() -> None:
    assert all(len(set(spread(range(97), most))) == most for most in range(98))
