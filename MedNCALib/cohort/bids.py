"""Data sets in the Brain Imaging Data Structure (BIDS, bids-specification.readthedocs.io): images in, derivatives out.

Only what names of files say is used: `sub-01/ses-a/anat/sub-01_ses-a_run-1_T1w.nii.gz`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .._version import __version__
from ..atomic_write import written_whole
from ..errors import MedNCAError

TABLE, REPORT = "mednca.tsv", "mednca.html"
_VERSION = "1.10.0"  # of the specification
_CODE = "https://github.com/MedNCA/MedNCA"
_NAME = re.compile(r"(?P<entities>sub-[^_]+(_[a-z]+-[^_]+)*)_(?P<suffix>[A-Za-z0-9]+)\.nii(\.gz)?")
# What lies among the derivatives and is not in the specification.
_IGNORED = (TABLE, REPORT, "*_dseg.jpg", "*.log")


@dataclass(frozen=True)
class BidsImage:
    """An image of a data set.

    Attributes:
        path: the file.
        relative: its path below the data set, with slashes.
        entities: the name without suffix and ending: "sub-01_ses-a_run-1".
    """

    path: str
    relative: str
    entities: str

    def base(self, model_name: str) -> str:
        """Where the derivatives of a model go, below their folder and without ending."""
        segmentation = re.sub(r"[^A-Za-z0-9]", "", model_name)  # values of entities are letters and digits
        return str(Path(self.relative).with_name(f"{self.entities}_seg-{segmentation}_dseg"))

    @property
    def extra(self) -> dict[str, object]:
        """What a record has to hold besides: whose image it is, and the sidecar's keys of the specification."""
        parts = dict(entity.split("-", 1) for entity in self.entities.split("_"))
        session = {"session_id": f"ses-{parts['ses']}"} if "ses" in parts else {}
        return {
            "participant_id": f"sub-{parts['sub']}",
            **session,
            "Sources": [f"bids:raw:{self.relative}"],
            "SpatialReference": "orig",
            "Manual": False,
        }


def suffix_for(modality: str) -> str:
    """The suffix of the images that a model takes, by the modality of its card.

    >>> suffix_for("MR, T1-weighted")
    'T1w'

    Raises:
        MedNCAError: BIDS has none for it.
    """
    found = re.search(r"\bT[12]\b", modality)
    if not found:
        raise MedNCAError(f"BIDS has no suffix for {modality!r}: name that of the images with --suffix.")
    return f"{found[0]}w"


def find_images(dataset: Path, suffix: str, participants: Sequence[str] = ()) -> tuple[list[BidsImage], list[str]]:
    """The images of a suffix in a data set.

    Args:
        dataset: its folder.
        suffix: "T1w", say.
        participants: labels, with or without "sub-"; none for all.

    Returns:
        The images by name, and the names of participants that have none.

    Raises:
        MedNCAError: this is no data set, or it lacks a participant that is named.
    """
    if not dataset.is_dir():
        raise MedNCAError(f"There is no folder {dataset}. Check the name.")
    subjects = sorted(path.name for path in dataset.glob("sub-*") if path.is_dir())
    if not subjects:
        raise MedNCAError(
            f"{dataset} is no BIDS data set: it has no folders sub-LABEL. Name the folder that holds them."
        )
    wanted = ["sub-" + label.removeprefix("sub-") for label in participants] or subjects
    missing = [subject for subject in wanted if subject not in subjects]
    if missing:
        raise MedNCAError(f"{dataset} has no {', '.join(missing)}. Check --participant-label.")
    images, without = [], []
    for subject in sorted(set(wanted)):
        found = [*_images_in(dataset, subject, "anat", suffix), *_images_in(dataset, subject, "ses-*/anat", suffix)]
        images += found
        if not found:
            without.append(subject)
    return images, without


def _images_in(dataset: Path, subject: str, where: str, suffix: str) -> Iterable[BidsImage]:
    for path in sorted((dataset / subject).glob(f"{where}/{subject}_*.nii*")):
        name = _NAME.fullmatch(path.name)
        if name and name["suffix"] == suffix:
            yield BidsImage(str(path), path.relative_to(dataset).as_posix(), name["entities"])


def write_dataset_description(output: Path, dataset: Path, model_name: str) -> None:
    """Write what a folder of derivatives has to say of itself: `dataset_description.json`, and what is not of BIDS.

    Raises:
        MedNCAError: it cannot be written, with the reason.
    """
    description = {
        "Name": f"MedNCA segmentations ({model_name})",
        "BIDSVersion": _VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "MedNCA", "Version": __version__, "CodeURL": _CODE}],
        "SourceDatasets": [{"URL": dataset.absolute().as_uri()}],
        "DatasetLinks": {"raw": dataset.absolute().as_uri()},
    }
    with written_whole(output / "dataset_description.json") as path:
        path.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    with written_whole(output / ".bidsignore") as path:
        path.write_text("".join(f"{name}\n" for name in _IGNORED), encoding="utf-8")
    with written_whole(output / "README.md") as path:
        path.write_text(
            f"Segmentations by MedNCA {__version__} ({_CODE}), model {model_name}. Research use only.\n\n"
            f"`*_dseg.json` beside each says how it came about; `{TABLE}` and `{REPORT}`, written by the group level, "
            "have all of them.\n",
            encoding="utf-8",
        )
