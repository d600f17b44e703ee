"""`synthgen model`: published checkpoints become models, models say what they are, and leave for other programs."""

import json
from pathlib import Path

import pytest
import torch

from generators import FAMILIES, family_named
from label_editing.catalog import Catalog, ClassSpec
from pipeline.cli import main
from pipeline.model_copy import MOST_DIFFERENCE
from pipeline.model_directory import ModelDirectory, ModelFacts, TrainingSummary, label_space, open_model
from pipeline.model_export import example_inputs
from pipeline.resolution import Resolution

SMALL = {
    "pix2pixhd": {"base_channels": 2, "num_downsamplings": 1, "num_blocks": 1, "encoder_channels": 2},
    "spade": {"base_channels": 2, "hidden_channels": 4, "encoder_channels": 2, "start_grid": (1, 2), "use_vae": True},
    "ccfpse": {"base_channels": 2, "hidden_channels": 4, "pyramid_channels": 4},
    "oasis": {"base_channels": 2, "hidden_channels": 4, "noise_dim": 4},
    "lab2pix_v1": {"base_channels": 2, "hidden_channels": 4, "trunk_blocks": 1, "start_grid": (4, 8)},
    "lab2pix_v2": {"base_channels": 2, "hidden_channels": 4, "global_channels": 2},
    "pix2pix": {"base_channels": 2, "levels": 4},
    "crn": {"base_channels": 32, "modules": 4},
}
PUBLISHED = sorted(name for name, row in FAMILIES.items() if row.published)
CATALOG = Catalog(
    name="toy", classes=tuple(ClassSpec(id=i, name=f"class {i}", color=(i, i, i), layer="object") for i in range(5))
)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(list(map(str, arguments)))
    out, err = capsys.readouterr()
    return left.value.code, out, err


@pytest.fixture
def published(tmp_path):
    """Files as the authors of a family would have saved them, and the networks in them."""

    def make(family: str, catalog_channels: int = 35):
        torch.manual_seed(3)
        row = FAMILIES[family]
        config = row.config(**SMALL[family])
        space = label_space(CATALOG) if catalog_channels == 5 else type(label_space(CATALOG))(catalog_channels)
        files = {}
        for part, network in (("G", row.build_generator(config, space)), ("E", row.build_encoder(config, space))):
            if network is None:
                continue
            names = (row.published.generator if part == "G" else row.published.encoder)(config)
            tensors = {names.of_tensor(name): tensor for name, tensor in network.state_dict().items()}
            torch.save(tensors, tmp_path / f"net_{part}.pth")
            files[part] = (tmp_path / f"net_{part}.pth", network.eval())
        return files

    return make


@pytest.mark.parametrize("family", PUBLISHED)
def test_an_imported_checkpoint_renders_as_the_network_it_was_saved_from(family, published, tmp_path, capsys):
    files = published(family)
    encoder = ["--encoder", files["E"][0]] if "E" in files else []
    out = tmp_path / "model"
    options = ["--family", family, "--output", out, "--resolution", "128x64", *encoder]
    code, said, _ = run(capsys, "model", "import", files["G"][0], *options)
    assert code == 0
    assert f"note: imported from {files['G'][0].name}, sha256 " in said
    mine = open_model(str(out)).load_generator()
    theirs = files["G"][1]
    labels = torch.arange(64 * 128).view(1, 64, 128) // 512
    condition = theirs.condition(labels, labels.int())
    style = torch.zeros(1, theirs.style_dim) if theirs.style_kind == "global" else None
    if theirs.style_kind == "noise":
        style = torch.zeros(1, theirs.style_dim, 64, 128)
    with torch.inference_mode():
        torch.testing.assert_close(mine(condition, style), theirs(condition, style), rtol=0, atol=0)


def test_what_no_shape_tells_is_set_by_hand(published, tmp_path, capsys):
    path = published("ccfpse")["G"][0]
    options = ["--family", "ccfpse", "--output", tmp_path / "model", "--resolution", "128x64"]
    code, _, err = run(capsys, "model", "import", path, *options, "--set", "kl_weight=-1")
    assert (code, err) == (2, "error: --set kl_weight: Input should be greater than or equal to 0\n")
    code, _, _ = run(capsys, "model", "import", path, *options, "--set", "kl_weight=0.5")
    assert code == 0
    assert open_model(str(tmp_path / "model")).config.kl_weight == 0.5


def test_a_truncated_file_is_one_clear_line_and_leaves_nothing(published, tmp_path, capsys):
    path = published("oasis")["G"][0]
    path.write_bytes(path.read_bytes()[:5000])
    code, out, err = run(capsys, "model", "import", path, "--family", "oasis", "--output", tmp_path / "model")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {path}: not a whole PyTorch checkpoint of plain tensors (")
    assert err.count("\n") == 1
    assert not (tmp_path / "model" / "model.json").exists()


def test_a_file_that_would_run_code_is_refused(tmp_path, capsys):
    path = tmp_path / "evil.pth"
    torch.save({"weight": Path("surprise")}, path)
    code, _, err = run(capsys, "model", "import", path, "--family", "oasis", "--output", tmp_path / "model")
    assert code == 2
    assert err.startswith(f"error: {path}: not a whole PyTorch checkpoint of plain tensors (")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda tensors: tensors.pop("conv_img.bias"),
            "weights do not fit the network: conv_img.bias is missing",
        ),
        (
            lambda tensors: tensors.update({"epoch": 3}),
            "expected a state dict of tensors; 'epoch' holds a int",
        ),
        (
            lambda tensors: tensors.pop("conv_img.weight"),
            "not a generator of oasis: conv_img.weight is missing; the file holds fc.weight, fc.bias, "
            "body.0.norm_0.first_norm.running_mean, ...",
        ),
    ],
)
def test_a_wrong_file_names_what_does_not_fit(change, said, published, tmp_path, capsys):
    path = published("oasis")["G"][0]
    tensors = torch.load(path, weights_only=True)
    change(tensors)
    torch.save(tensors, path)
    options = ["--family", "oasis", "--output", tmp_path / "model", "--resolution", "128x64"]
    assert run(capsys, "model", "import", path, *options) == (2, "", f"error: {path}: {said}\n")


@pytest.mark.parametrize("family", PUBLISHED)
def test_a_generator_of_another_size_or_half_a_file_names_the_first_tensors(family, published, tmp_path, capsys):
    path = published(family)["G"][0]
    whole = torch.load(path, weights_only=True)
    names = list(whole)
    lost = names[-1]
    bent = next(name for name in names if name.endswith(".bias") and name != lost)
    torch.save({n: (t[:1] if n == bent else t) for n, t in whole.items() if n != lost} | {"extra": torch.ones(1)}, path)
    options = ["--family", family, "--output", tmp_path / "model", "--resolution", "128x64"]
    if family in ("pix2pixhd", "spade"):
        options += ["--encoder", tmp_path / "net_E.pth"]
    code, out, err = run(capsys, "model", "import", path, *options)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {path}: weights do not fit the network: ")
    for said in (f"{bent} has shape (1,), expected {tuple(whole[bent].shape)}", f"{lost} is missing", "extra"):
        assert said in err
    assert not (tmp_path / "model").exists() or not list((tmp_path / "model").iterdir())


def test_a_generator_with_styles_asks_for_its_encoder(published, tmp_path, capsys):
    path = published("pix2pixhd")["G"][0]
    code, _, err = run(capsys, "model", "import", path, "--family", "pix2pixhd", "--output", tmp_path / "model")
    assert (code, err) == (
        2,
        f"error: {path}: this generator takes styles; give its encoder's file with --encoder\n",
    )


def test_an_imported_model_gets_its_looks_from_the_source_it_is_given(published, tmp_path, capsys):
    files, url = published("pix2pixhd"), tmp_path / "model"
    options = ["--family", "pix2pixhd", "--output", url, "--resolution", "64x32", "--encoder", files["E"][0]]
    assert run(capsys, "model", "import", files["G"][0], *options)[0] == 0
    code, _, err = run(capsys, "styles", "fit", url)
    assert (code, err) == (
        2,
        f"error: {url}: was imported, so nothing says what it was trained on; "
        "add --source '{format: cityscapes, root: DIR}', or another source of pairs\n",
    )
    streets = "{format: streetscapes, scenes: 3}"
    code, out, _ = run(capsys, "styles", "fit", url, "--source", streets, "--clusters", "2", "--quiet", "--json")
    assert (code, json.loads(out)["images"]) == (0, 3)
    sheet = tmp_path / "sheet.png"
    assert run(capsys, "styles", "show", url, "--source", streets, "--out", sheet)[0] == 0
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert "clusters from 3 images" in run(capsys, "model", "show", url)[1]
    code, out, _ = run(capsys, "styles", "tag", url, "--by", "time_of_day", "--share", "0.5", "--json")
    assert code == 0
    tags = sorted({tag for row in json.loads(out)["changed"] for tag in row["tags"]})
    code, out, _ = run(capsys, "model", "show", url)
    assert f"; tags: {', '.join(tags)}\n" in out
    assert "  looks by time_of_day: " in out


@pytest.fixture
def model(tmp_path):
    def make(family: str):
        torch.manual_seed(4)
        row = family_named(family)
        config = row.config(**SMALL[family])
        space = label_space(CATALOG)
        summary = TrainingSummary(
            source={"format": "streetscapes"},
            source_fingerprint="0",
            pairs=3,
            steps=2,
            batch_size=1,
            seed=0,
            precision="float32",
            losses={},
            notes=("no VGG",),
        )
        facts = ModelFacts("toy", family, config, CATALOG, Resolution(128, 64), summary)
        url = str(tmp_path / family)
        ModelDirectory(url).write(facts, row.build_generator(config, space), row.build_encoder(config, space))
        return url

    return make


def test_show_says_what_a_model_is(model, capsys):
    url = model("oasis")
    fingerprint = open_model(url).fingerprint
    count = sum(weight.numel() for weight in open_model(url).load_generator().parameters())
    code, out, _ = run(capsys, "model", "show", url)
    assert (code, out) == (
        0,
        f"toy: oasis, {count:,} parameters, 128x64 (sides in multiples of 32)\n"
        f"  paper: {FAMILIES['oasis'].paper}\n"
        "  5 classes of toy: class 0, class 1, class 2, class 3, class 4\n"
        "  styles: noise, 4 numbers; no bank\n"
        "  trained on 3 pairs of streetscapes, 2 steps\n"
        "  note: no VGG\n"
        f"  fingerprint: {fingerprint}\n",
    )
    code, out, _ = run(capsys, "model", "show", url, "--json")
    assert json.loads(out)["training"]["notes"] == ["no VGG"]


@pytest.mark.parametrize("family", SMALL)
def test_an_exported_program_gives_the_original_image(family, model, tmp_path, capsys):
    path = tmp_path / "program.pt2"
    code, out, err = run(capsys, "model", "export", model(family), "--format", "torch-export", "--out", path, "--json")
    assert (code, err) == (0, "")
    said = json.loads(out)
    assert said["largest_difference"] <= 1e-5
    assert said["inputs"]["condition"][-2:] == [64, 128]
    assert path.is_file()


def test_every_family_has_a_small_form_here():
    assert set(SMALL) == set(FAMILIES)


# Converting the larger graphs takes long; one family of each kind of block is in the quick suite.
ONNX = [
    name if name in ("pix2pixhd", "pix2pix", "crn") else pytest.param(name, marks=pytest.mark.soak) for name in SMALL
]


@pytest.mark.parametrize("family", ONNX)
def test_onnx_gives_the_original_image(family, model, tmp_path, capsys):
    path = tmp_path / "program.onnx"
    code, out, err = run(capsys, "model", "export", model(family), "--format", "onnx", "--out", path, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["largest_difference"] <= 1e-4
    assert list(tmp_path.glob("program*")) == [path]  # weights within


def test_a_file_is_written_in_the_format_that_its_name_says(model, tmp_path, capsys):
    path = tmp_path / "m.onnx"
    code, _, err = run(capsys, "model", "export", model("oasis"), "--out", path)
    said = f"error: {path}: its name says another format than --format torch-export; give --format onnx\n"
    assert (code, err, list(tmp_path.glob("m.*"))) == (2, said, [])


def test_onnx_names_the_packages_it_lacks(model, tmp_path, capsys, monkeypatch):
    from pipeline import model_export

    monkeypatch.setattr(model_export, "find_spec", lambda name: None if name == "onnxscript" else True)
    code, _, err = run(capsys, "model", "export", model("oasis"), "--format", "onnx", "--out", tmp_path / "m.onnx")
    assert (code, err) == (
        2,
        "error: ONNX needs onnxscript, not installed here; run: pip install 'synthgen[export]'\n",
    )


def test_a_copy_has_half_the_bytes_the_same_looks_and_no_training(model, tmp_path, capsys):
    from generators.style import StyleKind
    from pipeline.storage import Store
    from pipeline.styles.bank import StyleBank

    origin, url = open_model(model("crn")), str(tmp_path / "copy")
    origin_directory = ModelDirectory(origin.url)
    origin_directory.write_styles(StyleBank(StyleKind.NONE, 0))
    Store(origin.url).write_atomic("training/step-1.pt", b"large")
    code, out, _ = run(capsys, "model", "copy", origin.url, "--output", url)
    assert code == 0
    assert "largest difference to the original" in out
    copied = open_model(url)
    whole, half = (Store(one.url).size("generator.safetensors") for one in (origin, copied))
    assert half < 0.6 * whole
    assert copied.card.training == origin.card.training
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == [
        "generator.safetensors", "model.json", "styles.parquet",
    ]  # fmt: skip
    for name, weight in copied.load_generator().state_dict().items():
        torch.testing.assert_close(weight, origin.load_generator().state_dict()[name], atol=1e-3, rtol=1e-3)


def contents(folder):
    return {str(path): path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}


@pytest.mark.parametrize("spelling", ["crn", "./crn", "elsewhere/../crn", "{absolute}", "file://{absolute}"])
def test_a_copy_onto_itself_is_refused_however_it_is_spelt(spelling, model, tmp_path, capsys, monkeypatch):
    url, output = model("crn"), spelling.format(absolute=tmp_path / "crn")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    before = contents(tmp_path)
    for origin in ("crn", "./crn", url):
        code, _, err = run(capsys, "model", "copy", origin, "--output", output)
        assert code == 2
        assert err.endswith(": holds a model already; give another --output\n")
    assert contents(tmp_path) == before


def test_a_copy_onto_another_model_is_refused(model, tmp_path, capsys):
    origin, other = model("crn"), model("oasis")
    before = contents(tmp_path)
    said = f"error: {other}: holds a model already; give another --output\n"
    assert run(capsys, "model", "copy", origin, "--output", other) == (2, "", said)
    assert contents(tmp_path) == before


def rewritten(url, change):
    """The model with other weights, as if it had been trained so."""
    model = open_model(url)
    generator, encoder, card = model.load_generator(), model.load_encoder(), model.card
    with torch.no_grad():
        change(generator, encoder)
    facts = ModelFacts(card.name, card.family, model.config, card.catalog, card.resolution, card.training)
    ModelDirectory(url).write(facts, generator, encoder)


def first_weight(module):
    return next((name, weight) for name, weight in module.named_parameters() if weight.dim() == 4)


@pytest.mark.parametrize("part", ["generator", "encoder"])
def test_weights_too_large_for_half_precision_are_named_and_nothing_is_written(part, model, tmp_path, capsys):
    url, named = model("pix2pixhd"), []

    def change(generator, encoder):
        name, tensor = first_weight(generator if part == "generator" else encoder)
        named.append(name)
        tensor.view(-1)[0] = 1e6

    rewritten(url, change)
    assert run(capsys, "model", "copy", url, "--output", tmp_path / "copy") == (
        1,
        "",
        f"error: {url}: {named[0]} of its {part} is not finite in half precision; copy the directory as it is\n",
    )
    assert contents(tmp_path / "copy") == {}


@pytest.mark.parametrize("part", ["generator", "encoder"])
def test_what_half_precision_changes_is_not_written(part, model, tmp_path, capsys):
    url = model("pix2pixhd")

    def change(generator, encoder):
        # A tanh so steep makes much of the last bit of a weight.
        last = [weight for weight in (generator if part == "generator" else encoder).parameters() if weight.dim() == 4]
        last[-1].mul_(1e3)

    rewritten(url, change)
    code, out, err = run(capsys, "model", "copy", url, "--output", tmp_path / "copy")
    assert (code, out) == (1, "")
    what = "its image differs" if part == "generator" else "what its encoder says of an image differs"
    assert err.startswith(f"error: {url}: in half precision {what} by ")
    assert err.endswith("(0.04 is borne); copy the directory as it is\n")
    assert contents(tmp_path / "copy") == {}


def test_a_style_bank_that_cannot_be_read_stops_a_copy_before_it_is_written(model, tmp_path, capsys):
    url = model("crn")
    (Path(url) / "styles.parquet").write_bytes(b"no parquet")
    code, _, err = run(capsys, "model", "copy", url, "--output", tmp_path / "copy")
    assert code == 2
    assert err.startswith(f"error: {url}/styles.parquet: ")
    assert contents(tmp_path / "copy") == {}


@pytest.mark.parametrize("family", ["pix2pixhd", "spade", "crn"])
def test_a_copy_renders_the_image_of_the_original(family, model, tmp_path, capsys):
    origin, url = open_model(model(family)), str(tmp_path / "copy")
    code, _, err = run(capsys, "model", "copy", origin.url, "--output", url)
    assert (code, err) == (0, "")
    copied = open_model(url)
    assert set(copied.card.weights) == set(origin.card.weights)
    whole, half = origin.load_generator(), copied.load_generator()
    inputs = example_inputs(whole, origin.resolution, 5)
    with torch.inference_mode():
        images = [one(inputs["condition"], inputs.get("style")) for one in (whole, half)]
        torch.testing.assert_close(*images, atol=MOST_DIFFERENCE, rtol=0)
        if (encoder := origin.load_encoder()) is not None:
            found = [torch.cat([*one(images[0])], 1) for one in (encoder, copied.load_encoder())]
            torch.testing.assert_close(*found, atol=MOST_DIFFERENCE, rtol=MOST_DIFFERENCE)
