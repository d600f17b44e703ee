import numpy as np
import pytest

from pipeline.styles.bank import StyleBank, histogram


def test_a_bank_reads_back_as_it_was_written(bank: StyleBank) -> None:
    tagged = bank.tagged(3, 1, ["taxi", "bright"])
    again = StyleBank.from_parquet(tagged.to_parquet())
    assert again.fingerprint() == tagged.fingerprint()
    assert again.by_class[3][1].tags == ("bright", "taxi")
    assert again.by_class[3][1].attributes == {"time_of_day": {"day": 3}}
    assert np.array_equal(again.members.vectors, bank.members.vectors)
    assert again.image_attributes == bank.image_attributes


def test_the_fingerprint_follows_what_a_draw_depends_on(bank: StyleBank) -> None:
    assert bank.tagged(3, 1, ["taxi"]).fingerprint() != bank.fingerprint()


def test_bytes_that_are_no_bank_are_refused() -> None:
    with pytest.raises(ValueError, match="no style bank: "):
        StyleBank.from_parquet(b"not parquet")


def test_a_tag_needs_a_cluster_that_exists(bank: StyleBank) -> None:
    with pytest.raises(ValueError, match=r"^class id 3 has no cluster 7$"):
        bank.tagged(3, 7, ["x"])


def test_the_histogram_counts_values_with_their_multiplicity() -> None:
    assert histogram([({"time_of_day": "night"}, 2), ({"time_of_day": "day", "weather": "fog"}, 1)]) == {
        "time_of_day": {"day": 1, "night": 2},
        "weather": {"fog": 1},
    }
