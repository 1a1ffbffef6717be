"""The program that measures ejection fractions, on pictures of a known heart."""

import numpy as np
import SimpleITK as sitk
from support.beating_heart import discs, heart_model
from tools import ejection_fractions

from MedNCALib.io.image_sequence import read_sequence


def test_the_known_fraction_is_found(tmp_path, capsys):
    voxels = discs(2, slices=6)
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for frame, phase in enumerate((20, 8)):
        for number, plane in enumerate(voxels[frame]):
            is_empty = not (plane == 1100).any()
            if is_empty:
                continue
            name = f"X_SC-HF-I-01-IM-0001-{20 * number + phase:04d}.dcm.png"
            sitk.WriteImage(sitk.GetImageFromArray((plane // 10).astype(np.uint8)), str(tmp_path / "images" / name))
            mask = (plane == 1100).astype(np.uint8)
            sitk.WriteImage(sitk.GetImageFromArray(mask), str(tmp_path / "labels" / name))
    heart_model().save(tmp_path / "heart")
    folders = [str(tmp_path / name) for name in ("heart", "images", "labels")]
    ejection_fractions.main([*folders, "--all", "--keep", str(tmp_path / "kept")])
    said = capsys.readouterr().out
    assert "| SC-HF-I-01 | 4 |" in said
    assert "The ejection fraction is off by 0.0 points on average, 0.0 at most." in said
    assert len(read_sequence(tmp_path / "kept" / "SC-HF-I-01.nii.gz")) == 2
