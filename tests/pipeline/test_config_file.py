"""Every mistake in a config is told at once, with its place, in whole sentences."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.config_file import Loaded, load_config, parse_config
from pipeline.config_problems import Problem
from pipeline.errors import ConfigError, InputError
from pipeline.resolution import Resolution


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Swap(Strict):
    op: Literal["swap"]
    source: str = Field(alias="from")
    to: str
    fraction: float = Field(default=1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _different(self) -> "Swap":
        if self.source == self.to:
            raise ValueError(f"swaps {self.to!r} with itself")
        return self


class Drop(Strict):
    op: Literal["drop"]
    classes: tuple[str, ...] = Field(min_length=1)
    count: int | tuple[int, int] = 1


class Nested(Strict):
    op: Literal["nested"]
    edits: tuple["Op", ...]


Op = Annotated[Swap | Drop | Nested, Field(discriminator="op")]


Nested.model_rebuild()


class Like(Strict):
    like: str


class Tagged(Strict):
    tag: str
    weight: float = 1.0


class Toy(Strict):
    name: str
    mode: Literal["fast", "careful"] = "fast"
    size: Resolution = Resolution(64, 32)
    flip: bool = False
    steps: int = Field(default=10, ge=0)
    edits: tuple[Op, ...] = ()
    look: Literal["random"] | Like | Tagged = "random"
    weights: dict[str, float] = {}
    ids: dict[int, str] = {}
    first: Op | None = None


def problems_of(text: str, *overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(Toy, text, "toy.yaml", overrides)
    return caught.value.problems


def value_of(text: str, *overrides: str) -> Toy:
    return parse_config(Toy, text, "toy.yaml", overrides).value


ONE_MISTAKE = {
    "name: x\nstesp: 3\n": "toy.yaml:2:1: stesp: unknown key 'stesp'; did you mean 'steps'?",
    "nam: x\n": "toy.yaml:1:1: nam: unknown key 'nam'; did you mean 'name'?",
    "steps: 3\n": "toy.yaml:1:1: name: missing key 'name'",
    "name: 7\n": "toy.yaml:1:7: name: expected text, found 7",
    "name:\n": "toy.yaml:1:6: name: expected text, found nothing",
    "name: x\nmode: carefull\n": (
        "toy.yaml:2:7: mode: expected fast or careful, found 'carefull'; did you mean 'careful'?"
    ),
    "name: x\nsize: 64\n": "toy.yaml:2:7: size: expected WIDTHxHEIGHT such as 2048x1024, found 64",
    "name: x\nflip: yes\n": "toy.yaml:2:7: flip: expected true or false, found 'yes'",
    "name: x\nflip: 1\n": "toy.yaml:2:7: flip: expected true or false, found 1",
    "name: x\nsteps: -1\n": "toy.yaml:2:8: steps: expected at least 0, found -1",
    "name: x\nsteps: 1.5\n": "toy.yaml:2:8: steps: expected a whole number, found 1.5",
    "name: x\nsteps: '3'\n": "toy.yaml:2:8: steps: expected a whole number, found '3'",
    "name: x\nedits: {op: drop}\n": "toy.yaml:2:8: edits: expected a list, found a block with 'op'",
    "name: x\nedits: [drop]\n": "toy.yaml:2:9: edits[0]: expected a block of keys, found 'drop'",
    "name: x\nedits: [{}]\n": "toy.yaml:2:9: edits[0].op: missing key 'op'",
    "name: x\nedits:\n  - op: dorp\n": "toy.yaml:3:9: edits[0].op: unknown op 'dorp'; did you mean 'drop'?",
    "name: x\nedits: [{op: drop, classes: []}]\n": (
        "toy.yaml:2:29: edits[0].classes: expected at least 1 item, found an empty list"
    ),
    "name: x\nedits: [{op: drop, classes: [a, 3]}]\n": "toy.yaml:2:33: edits[0].classes[1]: expected text, found 3",
    "name: x\nedits: [{op: drop, classes: [a], count: few}]\n": (
        "toy.yaml:2:41: edits[0].count: expected a whole number or a list, found 'few'"
    ),
    "name: x\nedits: [{op: drop, classes: [a], count: [1, few]}]\n": (
        "toy.yaml:2:45: edits[0].count[1]: expected a whole number, found 'few'"
    ),
    "name: x\nedits: [{op: swap, from: a, to: a}]\n": "toy.yaml:2:9: edits[0]: swaps 'a' with itself",
    "name: x\nedits: [{op: swap, form: a, to: b}]\n": (
        "toy.yaml:2:20: edits[0].form: unknown key 'form'; did you mean 'from'?"
    ),
    "name: x\nedits: [{op: swap, from: a, to: b, fraction: 0}]\n": (
        "toy.yaml:2:46: edits[0].fraction: expected more than 0, found 0"
    ),
    "name: x\nedits: [{op: nested, edits: [{op: drop, clases: [a]}]}]\n": (
        "toy.yaml:2:41: edits[0].edits[0].clases: unknown key 'clases'; did you mean 'classes'?"
    ),
    "name: x\nfirst: {op: swap, from: a, to: 3}\n": "toy.yaml:2:32: first.to: expected text, found 3",
    "name: x\nlook: rndom\n": (
        "toy.yaml:2:7: look: expected random or a block of keys, found 'rndom'; did you mean 'random'?"
    ),
    "name: x\nlook: {lik: a}\n": "toy.yaml:2:8: look.lik: unknown key 'lik'; did you mean 'like'?",
    "name: x\nlook: {tag: a, weight: b}\n": "toy.yaml:2:24: look.weight: expected a number, found 'b'",
    "name: x\nweights: {car: much}\n": "toy.yaml:2:16: weights.car: expected a number, found 'much'",
    "name: x\nids: {a: car}\n": "toy.yaml:2:10: ids.a: expected a whole number, found 'a'",
    "name: x\nids: {7: 8}\n": "toy.yaml:2:10: ids.7: expected text, found 8",
    "name: x\nsteps: 1\nsteps: 2\n": "toy.yaml:3:1: steps: key 'steps' given twice; the first is on line 2",
    "name: x\nnull: 2\n": (
        "toy.yaml:2:1: expected a name as key, found 'null'; text with special characters needs quotes"
    ),
    "name: !!python/name:os.system\n": (
        "toy.yaml:1:7: name: unknown tag !!python/name:os.system; a config holds plain values only"
    ),
    "name: x\nsteps: 99999999999999999999\n": "toy.yaml:2:8: steps: '99999999999999999999' is no int that fits",
    "name: x\nweights: {car: 1e999}\n": "toy.yaml:2:16: weights.car: '1e999' is no float that fits",
    "name: x\nweights: {car: .nan}\n": "toy.yaml:2:16: weights.car: expected a number, found '.nan'",
    'name: "\\ud800"\n': "toy.yaml:1:7: name: text that is not valid Unicode (half a surrogate pair)",
    'name: "a\\0b"\n': "toy.yaml:1:7: name: text with a NUL character, which no name or path can have",
    "": "toy.yaml:1:1: expected keys such as name, mode, size, flip; the file is empty",
    "# nothing\n": "toy.yaml:1:1: expected keys such as name, mode, size, flip; the file is empty",
    "- name\n": "toy.yaml:1:1: expected keys such as name, mode, size, flip; found a list of 1",
    "name:\n\tx\n": "toy.yaml:2:1: not valid YAML: a tab; indent with spaces",
    "name: *.png\n": (
        "toy.yaml:1:8: not valid YAML: expected alphabetic or numeric character, but found '.'; "
        "a value that starts with * or & needs quotes"
    ),
    "name: @x\n": (
        "toy.yaml:1:7: not valid YAML: found character '@' that cannot start any token; put the value in quotes"
    ),
    "name: a: b\n": (
        "toy.yaml:1:8: not valid YAML: mapping values are not allowed here; "
        "check the indentation, and put values that contain ': ' in quotes"
    ),
    "name: x\nedits: [\n": "toy.yaml:3:1: not valid YAML: expected the node content, but found '<stream end>'",
    "name: x\n---\nname: y\n": "toy.yaml:2:1: not valid YAML: more than one document; a config is one",
    "name: x\x00\n": "toy.yaml:1:8: not valid YAML: the unprintable character '\\x00'",
    "name: x\nweights: &a {car: *a}\n": "toy.yaml:2:10: weights.car: an alias that contains itself",
    "[" * 60: "toy.yaml:1:41: not valid YAML: nested more than 40 deep",
}


@pytest.mark.parametrize("text", ONE_MISTAKE, ids=range(len(ONE_MISTAKE)))
def test_one_mistake_is_one_whole_message(text: str) -> None:
    assert problems_of(text) == [ONE_MISTAKE[text]]


def test_ten_mistakes_are_ten_messages_in_the_order_of_the_file() -> None:
    text = """\
naem: night
mode: slow
size: 2048
flip: "true"
steps: many
edits:
  - {op: swap, from: car, to: car}
  - {op: remove, classes: [car]}
  - {op: drop, classes: car, count: [1, 2, 3]}
weights: [1]
"""
    assert problems_of(text) == [
        "toy.yaml:1:1: naem: unknown key 'naem'; did you mean 'name'?",
        "toy.yaml:2:7: mode: expected fast or careful, found 'slow'",
        "toy.yaml:3:7: size: expected WIDTHxHEIGHT such as 2048x1024, found 2048",
        "toy.yaml:4:7: flip: expected true or false, found 'true'",
        "toy.yaml:5:8: steps: expected a whole number, found 'many'",
        "toy.yaml:7:5: edits[0]: swaps 'car' with itself",
        "toy.yaml:8:10: edits[1].op: unknown op 'remove'; known: swap, drop, nested",
        "toy.yaml:9:25: edits[2].classes: expected a list, found 'car'",
        "toy.yaml:9:37: edits[2].count: expected a whole number or at most 2 items, found a list of 3",
        "toy.yaml:10:10: weights: expected a block of keys, found a list of 1",
    ]


def test_scalars_read_as_yaml_1_2_reads_them() -> None:
    text = "name: no\nweights: {a: 1e-4, b: 2, c: .5, d: -1.5E+3}\nsteps: 0x10\nids: {0: zero}\n"
    toy = value_of(text)
    assert toy.name == "no"
    assert toy.weights == {"a": 1e-4, "b": 2.0, "c": 0.5, "d": -1500.0}
    assert toy.steps == 16
    assert toy.ids == {0: "zero"}
    assert value_of("name: 2024-01-01").name == "2024-01-01"
    assert value_of("name: 1:30").name == "1:30"


def test_aliases_are_followed() -> None:
    assert (
        value_of("name: x\nedits: [&a {op: drop, classes: [car]}, *a]").edits[1]
        == value_of("name: x\nedits: [{op: drop, classes: [car]}]").edits[0]
    )


def test_a_bomb_of_aliases_is_refused() -> None:
    lines = ["x0: &x0 [a, a, a, a, a, a, a, a, a, a]"]
    lines += [f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 10)}]" for i in range(1, 12)]
    (told,) = problems_of("\n".join(lines))
    assert told.endswith(": more than 50000 values once aliases are followed; write them out or split the file")


def test_a_file_too_large_for_a_config_is_refused() -> None:
    assert problems_of("name: x\n" + "#" * 600_000) == [
        "toy.yaml:1:1: 600008 characters is too large for a config; at most 524288"
    ]


OVERRIDES = [
    (["steps=3"], lambda toy: toy.steps == 3),
    (["size=128x64"], lambda toy: toy.size == Resolution(128, 64)),
    (["look={like: a b}"], lambda toy: toy.look == Like(like="a b")),
    (["edits.0.count=2"], lambda toy: toy.edits[0].count == 2),
    (["edits.0.count=[2, 3]", "edits.0.count.1=9"], lambda toy: toy.edits[0].count == (2, 9)),
    (["edits.1={op: drop, classes: [b]}"], lambda toy: toy.edits[1].classes == ("b",)),
    (["edits=[]"], lambda toy: toy.edits == ()),
    (["weights.car=0.5"], lambda toy: toy.weights == {"car": 0.5}),
    (["name=s3://a/b=c"], lambda toy: toy.name == "s3://a/b=c"),
    (['name="7"'], lambda toy: toy.name == "7"),
    (["steps=3", "steps=4"], lambda toy: toy.steps == 4),
]


@pytest.mark.parametrize(("overrides", "holds"), OVERRIDES, ids=lambda o: "holds" if callable(o) else str(o)[:40])
def test_an_override_replaces_one_value(overrides: list[str], holds: Callable[[Toy], bool]) -> None:
    assert holds(value_of("name: x\nedits: [{op: drop, classes: [a]}]\n", *overrides))


BAD_OVERRIDES = {
    "steps": "--set steps: expected KEY=VALUE, such as output.root=out or edits.0.probability=1",
    "=3": "--set =3: expected KEY=VALUE, such as output.root=out or edits.0.probability=1",
    "stesp=3": "--set stesp: unknown key 'stesp'; did you mean 'steps'?",
    "steps=x": "--set steps: expected a whole number, found 'x'",
    "name=": "--set name: expected text, found nothing",
    "look={lik: a}": "--set look: look.lik: unknown key 'lik'; did you mean 'like'?",
    "look.like=a": "--set look.like: look is 'random', which has no keys; set it as a whole, as in look={...}",
    "edits.1.count=a": "--set edits.1.count: edits has 1 item, so 1 is beyond its end",
    "edits.2=a": "--set edits.2: edits has 1 item, so 2 is beyond its end; edits.1 adds one",
    "edits.last=a": "--set edits.last: edits is a list: expected a position from 0, found 'last'",
    "edits.0.count=few": "--set edits.0.count: expected a whole number or a list, found 'few'",
    "edits.0.to=a": "--set edits.0.to: unknown key 'to'; did you mean 'op'? ('to' is a key of swap)",
    "first={op: nested, edits: [], classes: [a]}": (
        "--set first: first.classes: unknown key 'classes'; known: op, edits ('classes' is a key of drop)"
    ),
    "edits.0.cuont=1": "--set edits.0.cuont: unknown key 'cuont'; did you mean 'count'?",
    "name=[": "--set name: not valid YAML: expected the node content, but found '<stream end>'",
    "name.first=x": "--set name.first: name is 'x', which has no keys; set it as a whole, as in name={...}",
}


@pytest.mark.parametrize("override", BAD_OVERRIDES)
def test_a_wrong_override_is_named_by_what_was_typed(override: str) -> None:
    text = "name: x\nlook: random\nedits: [{op: drop, classes: [a]}]\n"
    assert problems_of(text, override) == [BAD_OVERRIDES[override]]


def test_a_rule_of_a_block_that_an_override_breaks_is_told_of_the_override() -> None:
    class Sized(Strict):
        size: int = 8
        cut: Swap | None = None
        most: int = 9
        some: dict[str, int] = {}

        @model_validator(mode="after")
        def _fits(self) -> "Sized":
            if self.size > self.most:
                raise ValueError(f"size {self.size} is more than most")
            if self.cut is not None and self.cut.to == "void":
                raise ValueError("cut.to is void")
            if sum(self.some.values()) > 9:
                raise ValueError("some sizes add up to more than 9")
            return self

    def told(*overrides: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            parse_config(Sized, "size: 3\ncut: {op: swap, from: a, to: b}\n", "toy.yaml", overrides)
        return caught.value.problems

    assert told("size=10") == ["--set size: size 10 is more than most"]
    assert told("most=1") == ["--set most: size 3 is more than most"]
    assert told("cut.to=void") == ["--set cut.to: cut.to is void"]
    assert told("most=1", "size=2") == ["--set most --set size: size 2 is more than most"]
    assert told("some.a=5", "some.b=5") == ["--set some.a --set some.b: some sizes add up to more than 9"]
    assert told("cut.fraction=0.5", "cut.to=a") == ["--set cut.fraction --set cut.to: cut: swaps 'a' with itself"]
    assert told("siz=1") == ["--set siz: unknown key 'siz'; did you mean 'size'?"]
    with pytest.raises(ConfigError) as caught:
        parse_config(Sized, "size: 10\n", "toy.yaml", ["cut={op: swap, from: a, to: b}"])
    assert caught.value.problems == ["toy.yaml:1:1: size 10 is more than most"]
    with pytest.raises(ConfigError) as caught:
        parse_config(Sized, "sizes: {a: 3}\n", "toy.yaml", ["sizes.a=4"])
    assert caught.value.problems == ["toy.yaml:1:1: sizes: unknown key 'sizes'; did you mean 'size'?"]
    with pytest.raises(ConfigError) as caught:
        parse_config(Sized, "some: {a: 5, b: 5}\n", "toy.yaml", ["size=4"])
    assert caught.value.problems == ["toy.yaml:1:1: some sizes add up to more than 9"]


def test_mistakes_of_file_and_overrides_come_together_the_file_first() -> None:
    assert problems_of("name: x\nsteps: a\n", "flip=3") == [
        "toy.yaml:2:8: steps: expected a whole number, found 'a'",
        "--set flip: expected true or false, found 3",
    ]


def test_an_override_mends_a_mistake_of_the_file() -> None:
    assert value_of("name: x\nsteps: a\n", "steps=3").steps == 3


def test_later_checks_get_places_too() -> None:
    loaded = parse_config(Toy, "name: x\nedits:\n  - {op: drop, classes: [cra]}\n", "toy.yaml", ["mode=careful"])
    note = "unknown class 'cra'; did you mean 'car'?"
    with pytest.raises(ConfigError) as caught:
        loaded.fail(
            [
                Problem(("mode",), "too careful"),
                Problem(("edits", 0, "classes", 0), note),
                Problem(("edits", 0, "classes"), "x", at_key=True),
                Problem(("edits", 0, "count"), "x"),
            ]
        )
    assert caught.value.problems == [
        "toy.yaml:3:5: edits[0].count: x",
        "toy.yaml:3:16: edits[0].classes: x",
        f"toy.yaml:3:26: edits[0].classes[0]: {note}",
        "--set mode: too careful",
    ]


def test_what_later_checks_find_in_a_faulty_config_is_told_with_its_own_mistakes() -> None:
    def further(data: dict[str, Any]) -> list[Problem]:
        return [Problem(("edits", 0, "classes", 0), f"no {data['edits'][0]['classes'][0]} there")]

    text = "name: x\nedits:\n  - {op: drop, classes: [cra]}\nsteps: many\n"
    with pytest.raises(ConfigError) as caught:
        parse_config(Toy, text, "toy.yaml", further=further)
    assert caught.value.problems == [
        "toy.yaml:3:26: edits[0].classes[0]: no cra there",
        "toy.yaml:4:8: steps: expected a whole number, found 'many'",
    ]
    sound = parse_config(Toy, text.replace("many", "3"), "toy.yaml", further=lambda _: pytest.fail("looked further"))
    assert sound.value.steps == 3


def test_what_was_resolved_is_kept_as_plain_data() -> None:
    loaded = parse_config(Toy, "name: x\n", "toy.yaml", ["steps=3"])
    assert loaded.resolved == {"name": "x", "steps": 3}
    assert loaded.text == "name: x\n"


def test_a_file_is_found_by_path_and_a_shipped_one_by_bare_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "toy.yaml"
    file.write_text("name: x\n", encoding="utf-8")
    assert load_config(Toy, file, "recipes").path == file
    monkeypatch.chdir(tmp_path)
    assert isinstance(load_config(Toy, "toy.yaml", "recipes"), Loaded)
    file.write_text("nme: x\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"^toy\.yaml:1:1: nme: unknown key 'nme'; did you mean 'name'\?$"):
        load_config(Toy, file, "recipes")


def test_a_file_that_is_not_utf_8_is_told_with_the_place(tmp_path: Path) -> None:
    file = tmp_path / "toy.yaml"
    file.write_bytes(b"name: x\nmode: f\xe4st\n")
    with pytest.raises(ConfigError, match=rf"^{file}:2:8: not UTF-8 text \(byte 0xe4\)$"):
        load_config(Toy, file, "recipes")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "toy.yaml"
    file.write_bytes(b"\xef\xbb\xbfname: x\r\nsteps: 3\r\n")
    assert load_config(Toy, file, "recipes").value.steps == 3


def test_a_path_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"^no such recipe file: {tmp_path}/no\.yaml$"):
        load_config(Toy, tmp_path / "no.yaml", "recipes")
    with pytest.raises(InputError, match=rf"^{tmp_path} is a folder, not a recipe$"):
        load_config(Toy, tmp_path, "recipes")


words = [
    "name",
    "edits",
    "op",
    "swap",
    "drop",
    "look",
    "x",
    "1",
    "1e3",
    "~",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a",
    "*a",
    "!!str",
    "!x",
    "'",
    "|",
    ">",
    "#",
    "%",
    "@",
    "?",
    "---",
    "\\ud800",
    "\\x07",
]
pieces = st.sampled_from([*words, ": ", ":", "- ", ", ", "\n", "\n  ", "\n    ", "\t", "---\n", '"'])


def problems_if_any(text: str, overrides: list[str]) -> list[str] | None:
    """None where the text is a config."""
    try:
        parse_config(Toy, text, "toy.yaml", overrides)
    except ConfigError as error:
        return error.problems
    return None


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(st.lists(pieces, max_size=30).map("".join), st.text(max_size=80)),
    st.lists(st.text(max_size=20), max_size=2),
)
def test_any_text_is_a_config_or_a_config_error(text: str, overrides: list[str]) -> None:
    problems = problems_if_any(text, overrides)
    assert problems is None or problems
    assert all(problem.startswith(("toy.yaml:", "--set ")) for problem in problems or [])


values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(["swap", "drop"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["op", "from", "to", "classes", "count", "edits", "like", "tag", "0"]), inner),
    ),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(list(Toy.model_fields)), values))
def test_any_plain_data_is_a_config_or_told_without_repetition(data: dict[str, object]) -> None:
    problems = problems_if_any(json.dumps(data), [])
    assert problems is None or problems
    assert len(set(problems or [])) == len(problems or [])


def test_keys_that_another_kind_leaves_behind_are_one_mistake_of_the_override() -> None:
    text = "name: x\nedits: [{op: swap, from: a, to: b}]\n"
    assert problems_of(text, "edits.0.op=drop", "edits.0.classes=[c]", "edits.0.cuont=1") == [
        "--set edits.0.cuont: unknown key 'cuont'; did you mean 'count'?",
        "--set edits.0.op: edits.0 of the file was written for swap: from, to do not go with drop; start from a file "
        "of that kind, or give the block as a whole: --set 'edits.0={op: drop, ...}'",
    ]
    # What the file itself has wrong stays the file's.
    nested = "name: x\nedits: [{op: nested, edits: [{op: drop, classes: []}]}]\n"
    assert problems_of(nested, "edits.0.op=drop", "edits.0.classes=[c]") == [
        "--set edits.0.op: edits.0 of the file was written for nested: edits does not go with drop; start from a file "
        "of that kind, or give the block as a whole: --set 'edits.0={op: drop, ...}'"
    ]
    assert problems_of("name: x\nedits: [{op: drop, classes: [a], count: x}]\n", "edits.0.op=nested") == [
        "toy.yaml:2:9: edits[0].edits: missing key 'edits'",
        "--set edits.0.op: edits.0 of the file was written for drop: classes, count do not go with nested; start from "
        "a file of that kind, or give the block as a whole: --set 'edits.0={op: nested, ...}'",
    ]
    assert problems_of("name: x\nedits: [{op: drop, classes: [a], form: a}]\n", "edits.0.op=drop") == [
        "toy.yaml:2:34: edits[0].form: unknown key 'form'; known: op, classes, count"
    ]
