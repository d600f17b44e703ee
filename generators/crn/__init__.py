"""CRN: photographic image synthesis with cascaded refinement networks."""

from generators.crn.config import CrnConfig
from generators.crn.generator import CrnGenerator
from generators.crn.system import CrnSystem
from generators.family import Family, LabelSpace

__all__ = ["CRN", "CrnConfig", "CrnGenerator", "CrnSystem"]


def _no_encoder(config: CrnConfig, space: LabelSpace) -> None:
    return None


CRN = Family(
    name="crn",
    paper="Photographic Image Synthesis with Cascaded Refinement Networks, ICCV 2017",
    config=CrnConfig,
    build_generator=CrnGenerator,
    build_encoder=_no_encoder,
    build_system=CrnSystem,
    grows=True,
)
