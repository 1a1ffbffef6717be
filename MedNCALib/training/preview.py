"""The present result on one validation case, in a file that is replaced while the training goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from ..evaluation.perturbations import LabelledCase
from ..io.segmentation_file import write_segmentation
from ..model.model import Model
from ..segmentation.segmenter import segment
from .events import PreviewWritten

FILE = "preview.seg.nrrd"


@dataclass(frozen=True)
class PreviewCase:
    """The case that is shown.

    Attributes:
        case: what is segmented.
        image: its file.
        is_validated: whether it is the first case of the validation, which then has its result already.
    """

    case: LabelledCase
    image: Path
    is_validated: bool

    def write(self, model: Model, labels: sitk.Image | None, folder: Path, batch: int) -> PreviewWritten:
        """Write the result, which is whole at any time.

        Args:
            model: of the present weights.
            labels: of the validation's first case, if they are there.
            folder: where the file lies.
            batch: number of batches done.
        """
        if labels is None or not self.is_validated:
            labels = segment(self.case.image, model).labels
        write_segmentation(folder / FILE, labels, model.labels)
        return PreviewWritten(batch, self.case.name, str(self.image.absolute()), str((folder / FILE).absolute()))
