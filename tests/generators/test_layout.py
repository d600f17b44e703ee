"""What one layout remembers, and that every family renders it in several styles as it does in each alone."""

import torch

from generators.layout import Layout


def test_a_result_is_kept_where_there_is_room_and_made_again_where_there_is_none():
    made = []

    def make(name: str, numbers: int) -> torch.Tensor:
        made.append(name)
        return torch.zeros(numbers)

    layout = Layout(torch.zeros(1), room_bytes=100)
    for _ in range(2):
        layout.once("small", lambda: make("small", 20))
        layout.once("too large beside it", lambda: make("too large beside it", 6))
        layout.once("fits into the rest", lambda: make("fits into the rest", 5))
    assert made == ["small", "too large beside it", "fits into the rest", "too large beside it"]


def test_tuples_count_for_all_that_they_hold():
    layout = Layout(torch.zeros(1), room_bytes=15)
    layout.once("pair", lambda: (torch.zeros(2), [torch.zeros(2)]))
    assert layout.num_kept == 0


def test_a_view_counts_for_the_memory_it_holds_on_to():
    layout = Layout(torch.zeros(1), room_bytes=15)
    layout.once("view", lambda: torch.zeros(4)[:1])
    assert layout.num_kept == 0


def test_views_of_one_storage_count_once():
    layout = Layout(torch.zeros(1), room_bytes=16)
    layout.once("two halves", lambda: torch.zeros(4).split(2))
    assert layout.num_kept == 1
    layout.once("no room is left", lambda: torch.zeros(1))
    assert layout.num_kept == 1
