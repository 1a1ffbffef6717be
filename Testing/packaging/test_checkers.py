"""What checks a change is the same on every machine."""

import re

from support.shared_data import REPOSITORY

PROJECT = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
PINNED = dict(re.findall(r'"([\w-]+)(?:\[\w+\])?==([\d.]+)"', PROJECT))


def test_the_hooks_before_a_commit_have_the_versions_of_make_lint():
    hooks = (REPOSITORY / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    found = dict(re.findall(r"repo: .+/([\w-]+)\n +rev: v?([\d.]+)", hooks))
    found["ruff"] = found.pop("ruff-pre-commit")
    assert found.items() <= PINNED.items()
    assert len(found) == hooks.count("repo:")


def test_every_goal_of_make_is_in_its_help():
    text = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    (goals,) = re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert goals.split() == re.findall(r"^# make ([\w-]+)", text, re.MULTILINE)
