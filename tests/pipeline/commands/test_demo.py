"""`synthgen demo --pretrained`: renders with a model that ships, and says what to do where none does."""

from pathlib import Path

import pytest

from pipeline import configs
from pipeline.cli import main
from pipeline.configs import configs_folder, shipped_model
from pipeline.errors import InputError


@pytest.fixture
def models(tmp_path, monkeypatch):
    """An installation that ships models of these names, with the configs of this one."""

    def ship(*names: str) -> Path:
        folder = tmp_path / "configs"
        folder.mkdir()
        for part in ("classes", "recipes", "train"):
            (folder / part).symlink_to(configs_folder() / part)
        for name in names:
            (folder / "models" / name).mkdir(parents=True)
            (folder / "models" / name / "model.json").write_text("{}")
        monkeypatch.setattr(configs, "configs_folder", lambda: folder)
        return folder / "models"

    return ship


def test_where_no_model_ships_the_way_to_one_is_named(models, tmp_path, capsys):
    models()
    with pytest.raises(SystemExit) as left:
        main(["demo", "--pretrained", "--output", str(tmp_path / "runs")])
    assert (left.value.code, *capsys.readouterr()) == (
        2,
        "",
        "error: no model 'streetscapes' ships; none are shipped; `synthgen demo` trains one\n",
    )
    assert not (tmp_path / "runs").exists()


def test_an_unknown_model_is_told_the_nearest_one_that_ships(models):
    folder = models("streetscapes", "countryside")
    (folder / "half_written").mkdir()
    assert shipped_model("streetscapes") == folder / "streetscapes"
    with pytest.raises(InputError) as refused:
        shipped_model("streetscape")
    assert str(refused.value) == (
        "no model 'streetscape' ships; did you mean 'streetscapes'? shipped: countryside, streetscapes; "
        "`synthgen demo` trains one"
    )


def test_the_model_that_ships_is_what_renders(models, tmp_path, capsys, monkeypatch):
    folder, asked = models("streetscapes"), []
    monkeypatch.setattr("pipeline.commands.augment.augment", lambda recipe, **options: asked.append((recipe, options)))
    monkeypatch.setattr("pipeline.commands.train.train", lambda **_: pytest.fail("trained"))
    with pytest.raises(SystemExit) as left:
        main(["demo", "--pretrained", "--quick", "--output", str(tmp_path / "runs")])
    assert left.value.code == 0
    ((recipe, options),) = asked
    assert recipe == "night_cars"
    root = tmp_path / "runs" / "demo_night_cars_pretrained_quick"
    assert options["set_"][:3] == [f"model={folder / 'streetscapes'}", f"output.root={root}", "samples=8"]
    assert f"  model          {folder / 'streetscapes'}/\n" in capsys.readouterr().out
