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
from support.cohort_jobs import jobs_of, write_broken_cases, write_cases
from support.threshold_model import LABELS, case, threshold_model

from MedNCALib.cohort.case import segment_case
from MedNCALib.cohort.picture import case_picture
from MedNCALib.cohort.record import find_records
from MedNCALib.cohort.report import write_report
from MedNCALib.cohort.table import least_sure, table_text, write_table

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
    assert all(bright["low"] < one["volumes"]["volume_ml_bright"] < bright["high"] for one in data["cases"][1:])


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
