# make demo [VOLUME=path] [MODEL=name]   segment the synthetic phantom, or your file, in the stand-in application; see demo/
# make test         linters, types, all tests with their coverage, and the engine's tests without PyTorch and Slicer
# make engine-test   the last of these alone
# make lint         linters, types and spelling
# make bench [JSON=file]   how fast the kernels, the models and the panel are on this machine
# make pictures     the pictures in README and in the documentation
# make pages        the pages of the documentation that are written from data and docstrings
# make weights      train the bundled models from the data in DATA, into build/weights
# make comparison   bundled models, their presets, the published recipe and UNets, trained and measured: takes hours
# make packages     the wheel, the source package, and the module as a folder for Slicer, into dist
# make clean        remove what the others have made
# make help         this list

PYTHON ?= python3
# Slicer 5.8 has Python 3.9: the engine's own tests run on it if it is installed.
OLD_PYTHON ?= $(shell python3.9 --version >/dev/null 2>&1 && echo python3.9 || echo $(PYTHON))
TORCH ?= torch==2.13.0
DATA ?= ../shared/data
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' MedNCALib/_version.py)
# What is imported is compiled once and kept, even if the environment asks for the opposite: tests start many programs.
unexport PYTHONDONTWRITEBYTECODE
# Tests run side by side, so a library's own threads would only wait. One process more than there are processors works
# while the others wait for files, timers and programs that they have started.
test: export OMP_NUM_THREADS = 1
PROCESSES = $(shell $(PYTHON) -c "import os; print(min(8, 1 + os.cpu_count()))")
PYTEST = -m pytest -q --numprocesses $(PROCESSES) --dist worksteal
# Without PyTorch: on an older Python all tests of the engine, on the same one those of the parts that may use PyTorch.
MAY_USE_TORCH = automaton benchmark segmentation/test_options.py segmentation/test_segmenter.py cli/test_main.py \
	cli/test_new_model_commands.py cli/test_segment_command.py
ENGINE_TESTS = $(if $(filter $(PYTHON),$(OLD_PYTHON)),$(addprefix Testing/engine/,$(MAY_USE_TORCH)),Testing/engine)

.PHONY: demo test engine-test lint bench pictures pages weights comparison packages clean help
.DEFAULT_GOAL := demo

demo: .venv/host
	.venv/bin/python Testing/tools/host_demo.py --output demo $(if $(VOLUME),--volume "$(VOLUME)") $(if $(MODEL),--model "$(MODEL)")

test:
	$(MAKE) --jobs 2 .venv/test .venv-engine/test
	$(MAKE) --jobs 2 lint engine-test
	MEDNCA_RUN_ALL_TESTS=1 .venv/bin/python $(PYTEST) --cov

engine-test: .venv-engine/test
	.venv-engine/bin/python $(PYTEST) $(ENGINE_TESTS)

lint: .venv/test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/codespell -D - -D .github/british-spelling.txt . .github
	.venv/bin/validate-pyproject pyproject.toml
	.venv/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	.venv/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	.venv/bin/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff
	.venv/bin/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/*_*.yml

bench: .venv/test
	.venv/bin/python -m MedNCALib bench --panel Testing/tools/bench_panel.py $(if $(JSON),--json "$(JSON)")

pictures: .venv/host
	.venv/bin/python Testing/tools/screenshots.py --output Resources/Screenshots

pages: .venv/test
	.venv/bin/python Testing/tools/benchmark_page.py
	.venv/bin/python Testing/tools/reference_page.py

weights: .venv/test
	$(call train,hippocampus-mr,--data $(DATA))
	$(call train,prostate-mr-t2,$(call pairs,prostate))
	$(call train,left-ventricle-cine-mr,$(call pairs,left_ventricle))

define train
	mkdir -p build/weights/$(1) && cp weights/$(1)/labels.csv build/weights/$(1)
	.venv/bin/python -m MedNCALib train --preset $(1) $(2) -o build/weights/$(1)
endef
pairs = --images $(DATA)/$(1)/images --labels $(DATA)/$(1)/labels

# The minutes are those of the preset, the published recipe, and the UNet.
comparison: .venv/test
	$(call compare,hippocampus-mr,hippocampus,120 42 120)
	$(call compare,prostate-mr-t2,prostate,220 42 220)
	$(call compare,left-ventricle-cine-mr,left_ventricle,170 42 170)
	.venv/bin/python Testing/tools/benchmark_page.py --record build/comparison/*/comparison.json

compare = .venv/bin/python Testing/tools/comparison.py $(1) --images $(DATA)/$(2)/images --labels $(DATA)/$(2)/labels \
	--minutes $(3) -o build/comparison

# Unpacked, the folder MedNCA goes to Slicer's "Additional module paths". What CMake installs does not depend on Slicer's
# version, so a stand-in for Slicer's build tree will do.
packages: .venv/packages
	rm -rf build/cmake build/packages
	.venv/bin/python -m build --outdir dist .
	cmake -S . -B build/cmake -DSlicer_DIR="$(CURDIR)/Testing/packaging/slicer_cmake"
	cmake --build build/cmake
	cmake --install build/cmake --prefix build/packages
	mv build/packages/lib/Slicer-*/qt-scripted-modules build/packages/MedNCA
	cd build/packages && cmake -E tar cf "$(CURDIR)/dist/MedNCA-$(VERSION)-slicer.zip" --format=zip MedNCA

.venv/bin/pip:
	@$(PYTHON) -c "import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))" || \
		{ echo "The stand-in application needs Python 3.10 to 3.13: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv

# Packages are compiled as they are imported: most of their files never are.
install = install --quiet --no-compile

.venv/host: .venv/bin/pip pyproject.toml
	.venv/bin/pip $(install) --editable ".[host]"
	touch $@

.venv/test: .venv/host
	.venv/bin/pip $(install) "$(TORCH)"
	.venv/bin/pip $(install) --editable ".[host,test,lint,comparison,cluster,dicom]"
	touch $@

.venv/packages: .venv/bin/pip
	.venv/bin/pip $(install) build
	touch $@

.venv-engine/test: pyproject.toml
	$(OLD_PYTHON) -m venv .venv-engine
	.venv-engine/bin/pip $(install) --editable ".[test]"
	touch $@

clean:
	rm -rf .venv .venv-engine build demo dist

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile
