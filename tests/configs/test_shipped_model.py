"""The model that ships: small, whole, and what the demo needs of it."""

from pipeline.catalogs import load_catalog
from pipeline.configs import shipped_model
from pipeline.model_directory import open_model

MOST_BYTES = 6_000_000


def test_it_is_small_enough_to_ship():
    assert sum(path.stat().st_size for path in shipped_model("streetscapes").iterdir()) < MOST_BYTES


def test_it_renders_the_catalog_of_the_demo_by_night():
    model = open_model(str(shipped_model("streetscapes")))
    model.check_catalog(load_catalog("cityscapes"))
    assert "night" in model.style_bank().attribute_values()["time_of_day"]
    generator, encoder = model.load_generator(), model.load_encoder()
    assert encoder is not None
    assert all(weight.isfinite().all() for weight in (*generator.parameters(), *encoder.parameters()))
