"""The benchmark of the panel: that it measures what it says, not how fast anything is."""

import json
import os
import subprocess
import sys
import time

import pytest
from support.brightness_model import REPOSITORY, brightness_model
from support.panel_driver import choose_model


@pytest.fixture
def bench(host):
    from tools import bench_panel

    return bench_panel


class Ticks:
    """A run without a panel: a timer without delay whose ticks do one after the other what they are given."""

    def __init__(self, *ticks):
        from PySide6 import QtCore

        self._ticks = list(ticks)
        self._timer = QtCore.QTimer(interval=0)
        self._timer.timeout.connect(self._tick)

    def start(self):
        self._timer.start()

    def isRunning(self):
        return bool(self._ticks)

    def _tick(self):
        self._ticks.pop(0)()
        if not self._ticks:
            self._timer.stop()


def sleep(seconds):
    return lambda: time.sleep(seconds)


def compute(seconds):
    """Keep the processor busy, whatever else the machine does."""

    def computing():
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass

    return computing


@pytest.mark.parametrize("slow", [0, 5, 10], ids=["first", "middle", "last"])
def test_one_slow_tick_is_the_longest_block_wherever_it_is(host, bench, slow):
    ticks = [sleep(0.02)] * 10
    ticks.insert(slow, sleep(0.25))
    run = Ticks(*ticks)
    began = time.perf_counter()
    found = bench.watch_run(host, run.start, run.isRunning)
    # The event loop has had control between this tick and the others.
    assert 0.25 <= found.block <= time.perf_counter() - began - 10 * 0.02


def test_work_done_by_the_click_itself_is_part_of_the_run(host, bench):
    run = Ticks(sleep(0))

    def start():
        compute(0.2)()
        run.start()

    found = bench.watch_run(host, start, run.isRunning)
    assert found.block >= 0.2
    assert found.work >= 0.2


def test_work_is_time_that_the_main_thread_computes_and_not_time_that_it_waits(host, bench):
    run = Ticks(compute(0.1), sleep(0.3), compute(0.1))
    began = time.thread_time()
    found = bench.watch_run(host, run.start, run.isRunning)
    assert 0.2 <= found.work <= time.thread_time() - began


def test_slice_views_are_computed_during_a_run_though_no_picture_is_asked_for(host, bench, volume_node):
    import slicer
    from vtk.util.numpy_support import vtk_to_numpy

    def brightest():
        producer = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetImageDataConnection().GetProducer()
        return vtk_to_numpy(producer.GetOutputDataObject(0).GetPointData().GetScalars())[:, :3].max()

    def fill(value):
        slicer.util.arrayFromVolume(volume_node)[:] = value
        slicer.util.arrayFromVolumeModified(volume_node)

    volume_node.GetDisplayNode().SetAutoWindowLevel(False)
    volume_node.GetDisplayNode().SetWindowLevelMinMax(0, 200)
    for value, expected in ((200, 255), (0, 0)):
        run = Ticks(lambda value=value: fill(value), sleep(0), sleep(0))
        bench.watch_run(host, run.start, run.isRunning)
        assert brightest() == expected


def test_the_figures_are_those_of_clicks_on_segment_with_the_cells_shown_and_without(
    host, bench, panel, volume_node, monkeypatch
):
    from MedNCAScene.display.live_overlay import LiveOverlay

    measured = []
    segment = bench.segment

    def recorded(*arguments, showWhileRunning):
        measured.append((showWhileRunning, segment(*arguments, showWhileRunning)))
        return measured[-1][1]

    monkeypatch.setattr(bench, "segment", recorded)
    monkeypatch.setattr(LiveOverlay, "SHORTEST_INTERVAL", 0)
    monkeypatch.setattr(LiveOverlay, "REST", 0)
    monkeypatch.setattr(LiveOverlay, "_show", lambda self, step: compute(0.01)())
    choose_model(panel, "slow")
    figures = bench.measure(host, panel, seconds=0)

    assert [shown for shown, _ in measured] == [False, True, False, True]
    hidden, shown = ([run for is_shown, run in measured if is_shown is which] for which in (False, True))
    assert min(run.work for run in shown) >= 79 * 0.01  # of 80 steps; the first shows nothing
    assert list(figures) == ["longest_block_ms", "live_cost"]
    assert figures["longest_block_ms"] == pytest.approx(500 * sum(run.block for run in shown))
    assert figures["live_cost"] == pytest.approx(sum(run.work for run in shown) / sum(run.work for run in hidden) - 1)
    assert figures["live_cost"] > 0


def test_a_run_that_fails_is_reported_in_the_panels_words(host, bench, panel, volume_node):
    import numpy as np
    import slicer

    slicer.util.updateVolumeFromArray(volume_node, np.ones((3, 4, 5)))
    with pytest.raises(bench.MedNCAError, match="no contrast"):
        bench.segment(host, panel, showWhileRunning=True)


def test_the_script_prints_the_figures_as_json_and_nothing_else(bench, tmp_path):
    brightness_model(tmp_path)
    small = (
        "from pathlib import Path; from tools import bench_panel as b; b.SIZE, b.SECONDS = (24, 24, 20), 0;"
        f"b.bundled_models_directory = lambda: Path({str(tmp_path)!r}); b.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", small],
        env={**os.environ, "MEDNCA_MODELS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY / "Testing",
    )
    figures = json.loads(done.stdout)
    assert list(figures) == ["longest_block_ms", "live_cost"]
    assert figures["longest_block_ms"] > 0
    assert figures["live_cost"] > -1
