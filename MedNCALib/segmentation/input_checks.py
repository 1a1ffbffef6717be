"""Does an image fit a model? What header, geometry and a sample of the intensities say, in sentences for the user.

The checks are cautious: each fires only far outside of what images of its kind show, and stays silent about what it
does not know. They compare an image with the model's card (`modality`, `anatomy`, `field_of_view_mm`) and slice format.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ..imaging.anatomical_axes import direction_of, orientation
from ..imaging.slice_space import as_volume, region_box
from ..model.model import Model
from .options import Find

# DICOM attributes (PS3.6) as SimpleITK names them.
MODALITY, BODY_PART, ECHO_TIME = "0008|0060", "0018|0015", "0018|0081"

# A volume that holds this many boxes of what a model expects needs a region.
_MUCH_LARGER = 4
# One that shows less than this share of the box, or of its length along one axis, lacks what surrounds the anatomy.
_MUCH_SMALLER, _MUCH_SHORTER = 1 / 8, 1 / 4
# Voxels that are longer than this many of the model's lose what it looks for. Twice as long still works.
_MUCH_COARSER = 2.05
# mm between slices along the short axis of the heart, at least.
_SHORT_AXIS_SPACING = 4.5

# Intensities are taken from at most about this many voxels along each axis.
_SAMPLE = 32
# Percentiles that become 0 and 1, and the scaled intensity up to which a voxel counts as air.
_SCALE, _AIR = (0.5, 99.5), 0.1
# In CT soft tissue is alike: half of all tissue lies within this share of the median.
_CT_HALF = 0.15

# Kinds of DICOM series (PS3.3, C.7.3.1.1.1) that a card may name first in its `modality`.
_MODALITIES = ("CR", "CT", "DX", "MG", "MR", "NM", "PT", "US", "XA")

# From head to foot: words of a card's `anatomy`, and what DICOM's Body Part Examined (PS3.16, annex L) contains.
_ALONG_THE_BODY = (
    (("brain", "head", "hippocamp", "amygdala", "thalam", "cerebell"), ("HEAD", "BRAIN", "SKULL")),
    (("neck", "cervical"), ("NECK", "CSPINE")),
    (("heart", "cardiac", "lung", "chest"), ("HEART", "CARDIAC", "CHEST", "THORAX", "LUNG", "TSPINE", "BREAST")),
    (("liver", "kidney", "spleen", "pancrea", "abdomen"), ("ABDOMEN", "LIVER", "KIDNEY", "SPLEEN", "LSPINE")),
    (("prostat", "bladder", "uter", "pelvi"), ("PELVIS", "PROSTATE", "BLADDER", "UTERUS")),
    (("thigh", "femur"), ("THIGH", "FEMUR", "HIP")),
    (("knee", "foot", "ankle"), ("KNEE", "FOOT", "ANKLE", "LEG")),
)  # fmt: skip


@dataclass(frozen=True)
class _Contrast:
    """A way in which MR images are weighted.

    Attributes:
        word: pattern of the word for it in a card's `modality`.
        echo_time_ms: what Echo Time may be.
        place: number in `_ALONG_THE_BODY` of the images whose intensities were measured.
        lower_quartile: what the lower quartile of the tissue's intensities, scaled to 0..1, may be in these.
    """

    word: str
    echo_time_ms: tuple[float, float]
    place: int
    lower_quartile: tuple[float, float]


# Tissue of a T1-weighted head is rather bright. In the others a quarter of it, muscle above all, is nearly black.
_CONTRASTS = (
    _Contrast(r"\bT1\b", (0, 40), 0, (0.18, 1)),
    _Contrast(r"\bT2\b(?!\*)", (40, math.inf), 4, (0, 0.3)),
    _Contrast(r"\bcine\b", (0, 20), 2, (0, 0.3)),
)


def check_input(
    image: sitk.Image, model: Model, region: Sequence[float] | None = None, find: Find = "auto"
) -> list[str]:
    """What speaks against segmenting an image with a model.

    Args:
        image: three-dimensional scalar image. DICOM attributes in its metadata are used.
        model: the model.
        region: (R0, R1, A0, A1, S0, S1) in mm that the run is limited to; None is the whole image.
        find: see `RunOptions`.

    Returns:
        Sentences, the surest first; none if nothing is wrong. If only the size is wrong, and the model does not find
        the anatomy by itself, the sentence says that a region is needed.

    Raises:
        ImageError: an image or a region that cannot be used.
    """
    image = as_volume(image)
    box = region_box(image, region)
    reasons = list(_mismatches(image, model, box))
    size = model.card.field_of_view_mm
    is_limited = region is not None or (model.finder is not None and find != "never")
    if not reasons and not is_limited and size is not None and is_much_larger(_extent(image, box), size):
        reasons.append(
            f"The volume is much larger than the {_millimetres(size)} that {model.name} expects: limit the run to a "
            "region over the anatomy."
        )
    return reasons


def fitting_models(image: sitk.Image, models: Sequence[Model]) -> list[Model]:
    """The models that nothing but the need of a region speaks against.

    Raises:
        ImageError: an image that cannot be used.
    """
    image = as_volume(image)
    return [model for model in models if not any(_mismatches(image, model, region_box(image, None)))]


def is_much_larger(extent_mm: Sequence[float], field_of_view_mm: Sequence[float]) -> bool:
    """Whether a volume holds several boxes of what a model expects, too much for a model that expects one."""
    return math.prod(extent_mm) > _MUCH_LARGER * math.prod(field_of_view_mm)


def _mismatches(image: sitk.Image, model: Model, box: Sequence[tuple[int, int]]) -> Iterator[str]:
    """Sentences on what cannot be what the model expects."""
    for found in (
        _other_modality(image, model),
        _other_body_part(image, model),
        _other_echo_time(image, model),
        _too_small(image, model, box),
        _too_coarse(image, model),
        _other_slices(image, model, box),
        _other_intensities(image, model, box),
    ):
        if found:
            yield f"{found}; {model.name} is for {_expectation(model)}. Choose another model or another volume."


def _expectation(model: Model) -> str:
    size = model.card.field_of_view_mm
    shown = [model.card.anatomy] + ([_millimetres(size)] if size else [])
    return f"{model.card.modality} ({', '.join(shown)})"


def _other_modality(image: sitk.Image, model: Model) -> str | None:
    found, expected = _attribute(image, MODALITY), model.card.modality.partition(",")[0].strip()
    if found in _MODALITIES and expected in _MODALITIES and found != expected:
        return f"The file says that its modality is {found}"
    return None


def _other_body_part(image: sitk.Image, model: Model) -> str | None:
    """Neighbouring parts count as the same: scanners are often set to the next one."""
    part, expected = _attribute(image, BODY_PART).upper(), _place(model)
    found = [place for place, (_, names) in enumerate(_ALONG_THE_BODY) if any(name in part for name in names)]
    if expected is not None and found and all(abs(place - expected) > 1 for place in found):
        return f"The file says that it shows {part}"
    return None


def _other_echo_time(image: sitk.Image, model: Model) -> str | None:
    contrast, milliseconds = _contrast(model), _number(_attribute(image, ECHO_TIME))
    if contrast is None or milliseconds is None or milliseconds <= 0:
        return None
    low, high = contrast.echo_time_ms
    return None if low <= milliseconds <= high else f"The file says that its echo time is {milliseconds:g} ms"


def _too_small(image: sitk.Image, model: Model, box: Sequence[tuple[int, int]]) -> str | None:
    size = model.card.field_of_view_mm
    if size is None:
        return None
    extent = _extent(image, box)
    along_axes = np.abs(direction_of(image)) @ extent  # of the box around it along right, anterior and superior
    if math.prod(extent) >= _MUCH_SMALLER * math.prod(size) and (along_axes >= _MUCH_SHORTER * np.array(size)).all():
        return None
    return f"The image shows only {_millimetres(np.round(along_axes))}"


def _too_coarse(image: sitk.Image, model: Model) -> str | None:
    order, spacing = orientation(image, model.slice_format.axes).order, image.GetSpacing()
    voxel = [spacing[2 - axis] for axis in order][::-1]  # along the model's columns, rows and slices
    coarse = [
        f"The voxels are {length:.3g} mm long, more than twice the model's {mm:g} mm"
        for length, mm in zip(voxel, model.slice_format.spacing)
        if mm is not None and length > _MUCH_COARSER * mm
    ]
    return coarse[-1] if coarse else None


def _other_slices(image: sitk.Image, model: Model, box: Sequence[tuple[int, int]]) -> str | None:
    thickness = max(image.GetSpacing())
    has_several = min(last - first for first, last in box) > 1
    if has_several and thickness < _SHORT_AXIS_SPACING and "short axis" in model.card.modality.lower():
        return f"The slices are only {thickness:.3g} mm apart"
    return None


def _other_intensities(image: sitk.Image, model: Model, box: Sequence[tuple[int, int]]) -> str | None:
    voxels = sitk.GetArrayViewFromImage(image)[tuple(slice(first, last) for first, last in box)]
    sample = voxels[tuple(slice(None, None, max(1, length // _SAMPLE)) for length in voxels.shape)].astype(float)
    sample = sample[np.isfinite(sample)]
    low, high = map(float, np.percentile(sample, _SCALE)) if sample.size else (0.0, 0.0)
    if not 0 < high - low < math.inf or not model.card.modality.startswith("MR"):
        return None
    scaled = np.clip(sample, low, high) / (high - low) - low / (high - low)
    lower, median, upper = np.percentile(scaled[scaled > _AIR], (25, 50, 75))
    if _is_hounsfield(low, high) or upper - lower < _CT_HALF * median:
        return "The intensities are those of CT"
    contrast, size = _contrast(model), model.card.field_of_view_mm
    if contrast is None or contrast.place != _place(model):
        return None
    darkest, brightest = contrast.lower_quartile
    if lower > brightest:
        return "Hardly any of the tissue is dark"
    # Around a whole head there is much air, whose noise would count as dark tissue.
    if lower < darkest and not (size is not None and is_much_larger(_extent(image, box), size)):
        return "A quarter of the tissue is nearly black"
    return None


def _is_hounsfield(low: float, high: float) -> bool:
    """Whether this range of intensities is one of Hounsfield units, padding around a round field of view included."""
    return -4000 < low < -500 and high < 4000


def _contrast(model: Model) -> _Contrast | None:
    """How the images that a model takes are weighted; None if its card does not say that clearly."""
    found = [each for each in _CONTRASTS if re.search(each.word, model.card.modality, re.IGNORECASE)]
    return found[0] if len(found) == 1 else None


def _place(model: Model) -> int | None:
    """Where the anatomy of a model lies, as a number in `_ALONG_THE_BODY`."""
    anatomy = model.card.anatomy.lower()
    found = [place for place, (words, _) in enumerate(_ALONG_THE_BODY) if any(word in anatomy for word in words)]
    return found[0] if len(found) == 1 else None


def _attribute(image: sitk.Image, key: str) -> str:
    return image.GetMetaData(key).strip() if image.HasMetaDataKey(key) else ""


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _extent(image: sitk.Image, box: Sequence[tuple[int, int]]) -> list[float]:
    """mm along x, y and z of the voxels in a box of indices along z, y and x."""
    return [(last - first) * mm for (first, last), mm in zip(box[::-1], image.GetSpacing())]


def _millimetres(lengths: Sequence[float]) -> str:
    return " x ".join(f"{length:.3g}" for length in lengths) + " mm"
