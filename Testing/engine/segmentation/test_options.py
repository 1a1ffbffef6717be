"""Options of a run: what they are refused for."""

from dataclasses import asdict

import numpy as np
import pytest
import SimpleITK as sitk
from support.images import noise_image
from support.random_models import random_model

from MedNCALib import MedNCAError, RunOptions, segment


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"runs": 0}, "number of runs must be at least 1, not 0"),
        ({"runs": 2.0}, "number of runs must be a whole number, not 2.0"),
        ({"runs": "3"}, "number of runs must be a whole number, not '3'"),
        ({"runs": True}, "number of runs must be a whole number, not True"),
        ({"runs": None}, "number of runs must be a whole number, not None"),
        ({"seed": -1}, "seed must be at least 0, not -1"),
        ({"seed": 1 << 64}, r"seed must be from 0 to 2\*\*64 - 1"),
        ({"seed": "x"}, "seed must be a whole number"),
        ({"threads": 0}, "number of threads must be at least 1"),
        ({"threads": [2]}, "number of threads must be a whole number"),
        ({"engine": "cuda"}, "engine 'cuda' is not known: choose one of auto, numpy, torch"),
        ({"engine": None}, "engine None is not known"),
        ({"engine": ["numpy"]}, "is not known"),
        ({"all_cells": "yes"}, "Whether all cells run must be True or False, not 'yes'"),
    ],
)
def test_options_that_cannot_be_used_are_refused(settings, message):
    with pytest.raises(MedNCAError, match=message):
        RunOptions(**settings)
    with pytest.raises(MedNCAError, match=message):
        segment(noise_image(), random_model(), **settings)


def test_options_are_keywords_of_a_segmentation_and_numpy_s_numbers_are_whole_numbers():
    options = RunOptions(runs=np.int64(2), seed=np.uint8(7), threads=np.int32(1))
    found = segment(noise_image(), random_model(), **asdict(options))
    assert found.quality.runs == 2
    expected = segment(noise_image(), random_model(), runs=2, seed=7).labels
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(found.labels), sitk.GetArrayViewFromImage(expected))
