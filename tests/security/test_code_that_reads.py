"""Read from the source itself: only safe loaders, no shell, no eval, nothing unpacked to disk."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("pipeline", "orchestration", "generators", "label_editing")
# Messages between processes of one run, over channels that a stranger does not reach.
BETWEEN_OWN_PROCESSES = "orchestration/"
NEVER_CALLED = {
    "eval": "runs text",
    "exec": "runs text",
    "os.system": "a shell",
    "os.popen": "a shell",
    "yaml.load": "makes objects",
    "yaml.unsafe_load": "makes objects",
    "yaml.full_load": "makes objects",
    "tarfile.TarFile.extractall": "writes where members say",
    "shutil.unpack_archive": "writes where members say",
    "joblib.load": "unpickles",
    "np.fromfile": "reads without a header",
    "marshal.loads": "runs bytes",
    "tempfile.mktemp": "names a file that others may make first",
}
METHODS_NEVER_CALLED = {"extractall": "writes where members say", "extract": "writes where members say"}


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call in our code: where, what, and the node."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", ast.unparse(node.func), node


def keyword(node: ast.Call, name: str) -> str:
    return next((ast.unparse(given.value) for given in node.keywords if given.arg == name), "")


@pytest.fixture(scope="module")
def all_calls() -> list[tuple[str, str, ast.Call]]:
    found = list(calls())
    assert len(found) > 5000
    return found


def test_nothing_runs_text_a_shell_or_an_unpacked_archive(all_calls):
    offences = [f"{place}: {name} {NEVER_CALLED[name]}" for place, name, _ in all_calls if name in NEVER_CALLED]
    offences += [
        f"{place}: {name}"
        for place, name, _ in all_calls
        if name.rpartition(".")[2] in METHODS_NEVER_CALLED and "." in name
    ]
    offences += [f"{place}: {name}" for place, name, node in all_calls if keyword(node, "shell") not in ("", "False")]
    assert offences == []


def test_torch_loads_weights_only(all_calls):
    loads = [(place, node) for place, name, node in all_calls if name == "torch.load"]
    assert loads
    assert [place for place, node in loads if keyword(node, "weights_only") != "True"] == []


def test_numpy_and_pickle_load_nothing_from_storage(all_calls):
    numpy = [
        place
        for place, name, node in all_calls
        if name == "np.load" and keyword(node, "allow_pickle") not in ("", "False")
    ]
    unpickled = [
        place
        for place, name, _ in all_calls
        if name in ("pickle.loads", "pickle.load", "cloudpickle.loads") and not place.startswith(BETWEEN_OWN_PROCESSES)
    ]
    assert (numpy, unpickled) == ([], [])


def test_yaml_is_read_by_a_loader_that_makes_plain_values_only():
    from yaml import SafeLoader
    from yaml.constructor import SafeConstructor

    from pipeline import yaml_file

    loaders = [value for value in vars(yaml_file).values() if isinstance(value, type) and "Loader" in value.__name__]
    assert loaders
    for loader in loaders:
        assert issubclass(loader, SafeLoader | SafeConstructor) or not hasattr(loader, "construct_object")


def test_every_call_to_another_program_is_a_list_of_words(all_calls):
    started = [(place, node) for place, name, node in all_calls if name.startswith("subprocess.") and node.args]
    assert [place for place, node in started if isinstance(node.args[0], ast.Constant | ast.JoinedStr)] == []
