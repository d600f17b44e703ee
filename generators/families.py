"""The table of families: a new one is a folder and a line here."""

from difflib import get_close_matches

from generators.ccfpse import CCFPSE
from generators.crn import CRN
from generators.family import Family
from generators.lab2pix_v1 import LAB2PIX_V1
from generators.lab2pix_v2 import LAB2PIX_V2
from generators.oasis import OASIS
from generators.pix2pix import PIX2PIX
from generators.pix2pixhd import PIX2PIXHD
from generators.spade import SPADE

FAMILIES: dict[str, Family] = {
    "pix2pixhd": PIX2PIXHD,
    "spade": SPADE,
    "ccfpse": CCFPSE,
    "lab2pix_v1": LAB2PIX_V1,
    "lab2pix_v2": LAB2PIX_V2,
    "oasis": OASIS,
    "pix2pix": PIX2PIX,
    "crn": CRN,
}


def family_named(name: str) -> Family:
    """The family of that name, or ValueError with the nearest one."""
    if name not in FAMILIES:
        near = get_close_matches(name, FAMILIES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(FAMILIES))}"
        raise ValueError(f"unknown family {name!r}; {hint}")
    return FAMILIES[name]
