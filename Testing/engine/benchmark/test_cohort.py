"""What many cases cost: counted from when each was done, and measured by the command itself."""

import pytest
from support.threshold_model import threshold_model

from MedNCALib.benchmark import cohort
from MedNCALib.cli.main import main
from MedNCALib.errors import MedNCAError


def test_the_rate_leaves_out_what_comes_first():
    # The processes take 10 s to start; then two cases are done at a time, every second.
    times = [10.0, 10.0, 11.0, 11.0, 12.0, 12.0]
    rate = cohort.rate_of(times[::-1], [0.7] * 4 + [9.0] * 2, warm_up=2)
    assert rate.throughput == pytest.approx(2)
    assert rate.seconds == pytest.approx(0.7)


def test_the_overhead_is_what_a_case_takes_beyond_its_segmentation():
    rate = cohort.rate_of([1.0, 2.0, 3.0], [0.9, 0.9, 0.9], warm_up=1)
    assert rate.overhead == pytest.approx(0.1)


def test_the_command_is_measured(tmp_path, monkeypatch):
    """In this process, since the start of others takes longest."""
    monkeypatch.setattr(cohort, "CASES", 4)
    monkeypatch.setattr(cohort, "_WARM_UP", 1)
    monkeypatch.setattr(cohort, "find_spec", lambda name: None)
    ran = []

    def run(*arguments):
        ran.append(arguments)
        assert main(["segment", *arguments[:5], "--existing", "redo"]) == 0

    monkeypatch.setattr(cohort, "_run", run)
    found = cohort.measure_here(str(threshold_model().save(tmp_path / "threshold").folder))
    assert [arguments[5:] for arguments in ran[:2]] == [("--jobs", "1"), ("--jobs", "2")]
    assert found.model == "threshold"
    assert min(found.seconds, found.throughput, found.times_one_job, found.times_one_command) > 0
    assert found.dask_overhead_ms is None


def test_a_command_that_fails_says_why(tmp_path):
    with pytest.raises(MedNCAError, match=r"nowhere\.nrrd"):
        cohort._run(str(tmp_path / "nowhere.nrrd"), "-m", "hippocampus-mr", "-o", str(tmp_path))
