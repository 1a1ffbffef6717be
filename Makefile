# make demo [VOLUME=path]   segment the synthetic phantom, or your file, in the host application; results in demo/
# make test                 the linter, all tests, and the engine's tests without PyTorch and Slicer
# make pictures             the pictures in README: the panel in each of its states, the views, the growth
# make weights              train the bundled models from the data in DATA
# make comparison           the table of the bundled models, their presets, the published recipe and UNets of 500 times their size

PYTHON ?= python3
# Slicer 5.8 has Python 3.9: the engine's own tests run on it where it is installed.
OLD_PYTHON ?= $(shell python3.9 --version >/dev/null 2>&1 && echo python3.9 || echo $(PYTHON))
TORCH ?= torch==2.13.0
DATA ?= ../shared/data

.PHONY: demo pictures test lint weights comparison clean
.DEFAULT_GOAL := demo

demo: .venv/host
	.venv/bin/python Testing/tools/host_demo.py --output demo $(if $(VOLUME),--volume "$(VOLUME)")

pictures: .venv/host
	.venv/bin/python Testing/tools/screenshots.py --output Resources/Screenshots

test: lint .venv/test .venv-engine/test
	.venv/bin/python -m pytest -q
	.venv-engine/bin/python -m pytest -q

lint: .venv/test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

weights: .venv/test
	$(call train,hippocampus-mr,hippocampus)
	$(call train,prostate-mr-t2,prostate)
	$(call train,left-ventricle-cine-mr,left_ventricle)

train = .venv/bin/python -m MedNCALib train --preset $(1) --images $(DATA)/$(2)/images --labels $(DATA)/$(2)/labels \
	-o weights/$(1)

# Hours: minutes for the preset, the published recipe, and the UNet.
comparison: .venv/test
	$(call compare,hippocampus-mr,hippocampus,120 42 120)
	$(call compare,prostate-mr-t2,prostate,220 42 220)
	$(call compare,left-ventricle-cine-mr,left_ventricle,170 42 170)

compare = .venv/bin/python Testing/tools/comparison.py $(1) --images $(DATA)/$(2)/images --labels $(DATA)/$(2)/labels \
	--minutes $(3) -o build/comparison

.venv/bin/pip:
	@$(PYTHON) -c "import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))" || \
		{ echo "The host application needs Python 3.10 to 3.13: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/host: .venv/bin/pip pyproject.toml
	.venv/bin/pip install --quiet --editable ".[host]"
	touch $@

.venv/test: .venv/host
	.venv/bin/pip install --quiet "$(TORCH)"
	.venv/bin/pip install --quiet --editable ".[host,test,comparison]"
	touch $@

.venv-engine/test: pyproject.toml
	$(OLD_PYTHON) -m venv .venv-engine
	.venv-engine/bin/pip install --quiet --editable ".[test]"
	touch $@

clean:
	rm -rf .venv .venv-engine build demo
