from generators import FAMILIES
from generators.parameter_table import PAGE, filled


def test_the_page_has_the_sizes_that_the_networks_have():
    page = PAGE.read_text()
    assert filled(page) == page


def test_every_family_is_on_the_page():
    page = PAGE.read_text()
    assert [name for name in FAMILIES if f"| `{name}` |" not in page] == []
