"""The examples in the engine's docstrings give what they show."""

import doctest
import importlib

import pytest
from support.shared_data import REPOSITORY

MODULES = [
    ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((REPOSITORY / "MedNCALib").rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_give_what_they_show(module, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # some write files
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted
    assert not result.failed, capsys.readouterr().out
