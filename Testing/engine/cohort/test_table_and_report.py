"""Table and page of a cohort: every case has its row, and the least sure come first."""

import base64
import csv
import io
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.beating_heart import discs, heart_model, image_of, volumes_ml
from support.cohort_jobs import jobs_of, write_broken_cases, write_cases
from support.head_model import head, head_model
from support.threshold_model import LABELS, case, threshold_model

from MedNCALib.cohort.case import segment_case
from MedNCALib.cohort.job import Job
from MedNCALib.cohort.picture import case_picture
from MedNCALib.cohort.record import find_records
from MedNCALib.cohort.report import write_report
from MedNCALib.cohort.table import least_sure, table_text, write_table
from MedNCALib.imaging.labels import Label

PIL = pytest.importorskip("PIL.Image", reason="pictures need Pillow")


@pytest.fixture
def cases(tmp_path):
    """Records of three cases that are done and one that failed, with their files."""
    model = threshold_model().save(tmp_path / "threshold").folder
    write_cases(tmp_path / "in", 3)
    write_broken_cases(tmp_path / "in", 1)
    images = sorted((tmp_path / "in").iterdir())
    for job in jobs_of(images, tmp_path / "out", model, options={"runs": 2, "seed": 0}, picture=True):
        segment_case(job)
    return list(find_records(tmp_path / "out"))


def rows(text):
    return list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))


def test_the_table_has_a_row_a_case_with_stable_columns(cases, tmp_path):
    write_table(tmp_path / "table.tsv", [record for _, record in cases])
    found = rows((tmp_path / "table.tsv").read_text(encoding="utf-8"))
    assert list(found[0]) == [
        "case", "status", "verdict", "agreement", "nqm", "volume_ml_medium", "volume_ml_bright", "volume_ml",
        "volume_sd_ml_medium", "volume_sd_ml_bright", "seconds", "passes", "seed", "protocol", "model", "model_sha256",
        "version", "warnings", "error", "input", "segmentation",
    ]  # fmt: skip
    assert [row["case"] for row in found] == ["broken00-empty", "case000", "case001", "case002"]
    assert [row["status"] for row in found] == ["failed", "done", "done", "done"]
    assert "is empty" in found[0]["error"]
    assert found[0]["volume_ml"] == found[1]["protocol"] == "n/a"
    truth = sitk.GetArrayFromImage(case(0)[1])
    assert float(found[1]["volume_ml_bright"]) == pytest.approx((truth == 2).sum() * 0.003)
    assert float(found[1]["volume_ml"]) == pytest.approx((truth > 0).sum() * 0.003)


def record(name, agreement=None, nqm=None, status="done", **more):
    return {"case": name, "status": status, "quality": {"agreement": agreement, "nqm": nqm}, **more}


def test_the_least_sure_come_first():
    records = [
        record("single"), record("sure", 0.95, 0.1), record("unsure", 0.5, 0.1), record("noisy", 0.95, 0.3),
        {"case": "failed", "status": "failed", "error": "it is empty"},
    ]  # fmt: skip
    assert [each["case"] for each in least_sure(records)] == ["failed", "unsure", "noisy", "sure", "single"]


def test_what_would_break_a_row_is_a_space_and_bytes_are_escaped(tmp_path):
    odd = record("a", error="one\ttwo\nthree", input=os.fsdecode(b"c\xff") if sys.platform != "win32" else "c")
    (row,) = rows(table_text([odd]))
    assert row["error"] == "one two three"
    write_table(tmp_path / "table.tsv", [odd])
    assert (tmp_path / "table.tsv").read_text(encoding="utf-8")


def test_who_took_part_is_a_column_only_where_it_is_known():
    (row,) = rows(table_text([record("a", participant_id="sub-01", brain_ml=1200.0)]))
    assert (row["participant_id"], row["brain_ml"]) == ("sub-01", "1200")
    assert "session_id" not in row


@pytest.fixture
def heads(tmp_path):
    """Records of a head with both sides and of one of which only the left half is there."""
    model = head_model(tmp_path / "models").folder
    image, _ = head()
    (tmp_path / "in").mkdir()
    sitk.WriteImage(image, str(tmp_path / "in" / "both.nrrd"))
    sitk.WriteImage(image[28:, :, :], str(tmp_path / "in" / "half.nrrd"))
    images = sorted((tmp_path / "in").iterdir())
    return [segment_case(job) for job in jobs_of(images, tmp_path / "out", model, options={"runs": 2, "seed": 0})]


def test_a_finder_gives_sides_brain_and_measurements(heads):
    both, half = rows(table_text(heads))
    assert (both["found"], half["found"]) == ("left right", "left")
    assert float(both["brain_ml"]) == pytest.approx(heads[0]["brain_ml"], rel=1e-5)
    assert half["brain_ml"] == "n/a"
    parts = [float(both[f"volume_ml_left_{part}_hippocampus"]) for part in ("anterior", "posterior")]
    assert float(both["volume_ml_left_hippocampus"]) == pytest.approx(sum(parts), rel=1e-5)
    assert float(both["anterior_posterior_ratio_left_hippocampus"]) == pytest.approx(parts[0] / parts[1], rel=1e-5)
    share = 100 * float(both["volume_ml_hippocampus"]) / float(both["brain_ml"])
    assert float(both["brain_share_percent_hippocampus"]) == pytest.approx(share, rel=1e-4)
    assert half["volume_ml_right_anterior_hippocampus"] == half["asymmetry_percent_hippocampus"] == "n/a"
    assert both["volume_sd_ml_right_anterior_hippocampus"] != "n/a"


@pytest.fixture
def hearts(tmp_path):
    """Records of two cines, with their files."""
    model = heart_model().save(tmp_path / "heart").folder
    (tmp_path / "in").mkdir()
    for name, frames in (("a", 6), ("b", 8)):
        image = sitk.JoinSeries([image_of(volume) for volume in discs(frames)])
        image.SetSpacing((*image.GetSpacing()[:3], 0.1))
        sitk.WriteImage(image, str(tmp_path / "in" / f"{name}.nii.gz"))
    jobs = [
        Job(str(path), path.name[0], path.name[0], job.settings)
        for path in sorted((tmp_path / "in").iterdir())
        for job in jobs_of([path], tmp_path / "out", model, options={"runs": 2, "seed": 0})
    ]
    for job in jobs:
        segment_case(job)
    return list(find_records(tmp_path / "out"))


def test_a_beat_gives_its_figures(hearts):
    found = rows(table_text(record for _, record in hearts))
    truth = volumes_ml(discs(6), (1.5, 1.5, 8.0))
    assert [row["frames"] for row in found] == ["6", "8"]
    assert float(found[0]["edv_ml"]) == pytest.approx(max(truth), rel=1e-4)
    assert float(found[0]["esv_ml"]) == pytest.approx(min(truth), rel=1e-4)
    expected = 100 * (max(truth) - min(truth)) / max(truth)
    assert float(found[0]["ejection_fraction"]) == pytest.approx(expected, rel=1e-4)
    assert float(found[0]["ejection_fraction_sd"]) == pytest.approx(0, abs=1e-6)
    assert float(found[0]["heart_rate_bpm"]) == pytest.approx(100, rel=1e-4)
    assert found[0]["agreement"] == "1"
    assert "volume_ml" not in found[0]


def test_a_page_shows_the_beat_and_the_frame_of_end_diastole(hearts, tmp_path):
    page, data, pictures = page_of(hearts, tmp_path)
    units = {column["name"]: column["unit"] for column in data["columns"]}
    assert (units["edv_ml"], units["ejection_fraction"]) == ("mL", "%")
    assert sorted(pictures) == [0, 1]
    path, one = hearts[0]
    frame = sitk.ReadImage(one["input"])[:, :, :, one["shown_frame"]]
    labels = sitk.ReadImage(str(path.with_name("a.nii.gz")))[:, :, :, one["shown_frame"]]
    number = next(index for index, each in enumerate(data["cases"]) if each["name"] == "a")
    known = [
        Label(each["value"], name, tuple(bytes.fromhex(each["color"][1:]))) for name, each in one["labels"].items()
    ]
    with PIL.open(io.BytesIO(pictures[number])) as picture:
        expected = np.asarray(case_picture(frame, labels, known), np.int16)
        assert np.abs(np.asarray(picture, np.int16) - expected).mean() < 3
    (curve,) = re.findall(rf'<script type="text/plain" id="c{number}">([^<]*)</script>', page)
    assert base64.b64decode(curve) == path.with_name("a_volumes.png").read_bytes()


def page_of(cases, tmp_path):
    write_report(tmp_path / "report.html", cases, "A <cohort>")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)[1])
    pictures = {
        int(number): base64.b64decode(text)
        for number, text in re.findall(r'<script type="text/plain" id="p(\d+)">([^<]*)</script>', page)
    }
    return page, data, pictures


def test_the_report_is_one_file_with_all_cases_and_their_pictures(cases, tmp_path):
    page, data, pictures = page_of(cases, tmp_path)
    assert "<title>A &lt;cohort&gt;</title>" in page
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page) == []
    assert data["cases"][0]["name"] == "broken00-empty"
    assert {one["verdict"] for one in data["cases"]} == {"failed", None}
    assert sorted(pictures) == [1, 2, 3]
    with PIL.open(io.BytesIO(pictures[1])) as picture:
        assert picture.format == "JPEG"
        assert picture.height == 170
    bright = next(column for column in data["columns"] if column["name"] == "volume_ml_bright")
    assert bright["color"] == "#56b4e9"
    assert all(bright["low"] < one["figures"]["volume_ml_bright"] < bright["high"] for one in data["cases"][1:])


def test_pictures_that_were_not_written_are_drawn_from_input_and_result(cases, tmp_path):
    _, _, written = page_of(cases, tmp_path)
    for path, _ in cases:
        path.with_suffix(".jpg").unlink(missing_ok=True)
    stripped = [
        (path, {**each, "files": {name: size for name, size in each["files"].items() if not name.endswith(".jpg")}})
        for path, each in cases
    ]
    _, _, drawn = page_of(stripped, tmp_path)
    assert sorted(drawn) == sorted(written)
    Path(cases[1][1]["input"]).unlink()
    _, _, left = page_of(stripped, tmp_path)
    assert len(left) == 2


def test_a_picture_shows_each_label_in_its_colour_in_three_planes():
    values = np.zeros((40, 40, 40), np.uint8)
    values[10:20, 10:20, 5:15], values[10:20, 10:20, 20:30] = 1, 2
    labels = sitk.GetImageFromArray(values)
    image = sitk.Cast(labels, sitk.sitkFloat32)
    pixels = np.asarray(case_picture(image, labels, LABELS))
    for label in LABELS:
        assert (pixels == label.color).all(axis=-1).any()
    empty = np.asarray(case_picture(image, labels * 0, LABELS))
    assert empty.shape[0] == 170
    assert not any((empty == label.color).all(axis=-1).any() for label in LABELS)
