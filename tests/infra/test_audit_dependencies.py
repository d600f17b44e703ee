"""The audit of `make check` finds what it is there for."""

import importlib.util
from email.message import Message
from importlib.metadata import distribution
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.version import Version

ROOT = Path(__file__).parents[2]


@pytest.fixture
def audit():
    spec = importlib.util.spec_from_file_location("audit_dependencies", ROOT / "infra/audit_dependencies.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_not_pinned_or_not_as_pinned_is_named(audit):
    numpy = distribution("numpy")
    assert list(audit._problems("numpy", numpy, {"numpy": Version(numpy.version)})) == []
    assert list(audit._problems("numpy", numpy, {})) == [f"numpy {numpy.version}: not in constraints.txt"]
    assert list(audit._problems("numpy", numpy, {"numpy": Version("1.0")})) == [
        f"numpy: {numpy.version} is installed, constraints.txt says 1.0; run make install"
    ]


def test_an_unsafe_version_is_named_with_what_it_lets_in(audit, monkeypatch):
    advisory = audit.Advisory("numpy", Version("999"), "CVE-0: eats disks")
    monkeypatch.setattr(audit, "_advisories", lambda: [advisory])
    numpy = distribution("numpy")
    assert list(audit._unsafe({"numpy": numpy})) == [f"numpy {numpy.version}: CVE-0: eats disks; safe from 999"]
    assert [line for line in audit._low_bounds() if "numpy" in line]


def test_the_closure_reaches_what_is_asked_for_by_what_is_asked_for(audit):
    found = dict(audit._closure("synthgen"))
    assert {"torch", "ray", "sympy", "aiobotocore", "pytest"} <= found.keys()


def problems_with_licence(audit, text: str) -> list[str]:
    about = Message()
    about["License"] = text
    found = SimpleNamespace(version="1.0", metadata=about, read_text=lambda name: None)
    return list(audit._problems("thing", found, {"thing": Version("1.0")}))


@pytest.mark.parametrize(
    "text", ["MIT", "Apache-2.0 OR BSD-2-Clause", "0BSD", "ISC License (ISCL)", "MPL-2.0", "PSF-2.0", "CNRI-Python"]
)
def test_a_licence_that_can_be_borne_is_no_problem(audit, text):
    assert problems_with_licence(audit, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GPL-3.0-or-later",
        "GNU General Public License v2 (GPLv2)",
        "MIT AND LGPL-3.0-only",
        "AGPLv3",
        "dual: GPL/commercial",
        "Proprietary. No licence is implied; see the disclaimer. Submit questions to us",
        "All rights reserved. No licence is implied; see the disclaimer",
    ],
)
def test_any_other_licence_is_for_somebody_to_read(audit, text):
    (problem,) = problems_with_licence(audit, text)
    assert problem.startswith(f"thing 1.0: its licence is {text[:80]!r}; read it")
