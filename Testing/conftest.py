"""Fixtures for all tests, and the account of those that were skipped."""

import gc
import os
import sys
from collections import Counter

from host.fixtures import host  # noqa: F401
from support.command_line import cohort, model_folder, volume_file  # noqa: F401
from support.panel_driver import panel, volume_node  # noqa: F401
from support.scene_assertions import scene  # noqa: F401
from support.shared_data import VARIABLE, data_folder

if sys.version_info < (3, 10):
    # The engine runs on the Python of Slicer 5.8; the module and its host need that of Slicer 5.10 and later.
    collect_ignore_glob = ["panel/*", "scene/*", "host_tests/*", "tools_tests/*", "packaging/*"]


# Tests of other things than the engine and the module. Lines that only these run are not tested, and counting is slow.
NOT_COUNTED = {"host_tests", "packaging", "tools_tests"}


def pytest_collection_modifyitems(items):
    # The tests of the programs take longest: side by side with the others, nobody waits for them at the end.
    items.sort(key=lambda item: "tools_tests" not in item.path.parts)
    for item in items:
        if NOT_COUNTED.intersection(item.path.parts):
            item.add_marker("no_cover")


def pytest_collection_finish():
    # Hundreds of thousands of objects are there to stay: no collection of garbage has to look at them again.
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session):
    if forbidden_skips(session.config) and session.exitstatus == 0:
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter, config):
    reasons, forbidden = skips(config), forbidden_skips(config)
    if reasons:
        terminalreporter.section("skipped", "-")
    for reason, number in reasons.most_common():
        note = " (not allowed here: make it run)" if reason in forbidden else ""
        terminalreporter.line(f"{number:4} {reason}{note}", red=bool(note))


def skips(config):
    """How many tests, or files of tests, were skipped for each reason."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")  # a worker of xdist has none
    reports = reporter.stats.get("skipped", []) if reporter else []
    return Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports)


def forbidden_skips(config):
    """Missing data is a reason only if there is no data at all; a missing package is none with MEDNCA_RUN_ALL_TESTS."""
    return {
        reason
        for reason in skips(config)
        if (data_folder().is_dir() if VARIABLE in reason else os.environ.get("MEDNCA_RUN_ALL_TESTS"))
    }
