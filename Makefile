# masktune: `make help` lists what can be asked for. Every target sets up .venv first when it is missing or outdated.
STUDY ?= embedded
JOBS ?= 2
PYTHON ?= python3
# The versions that a new .venv gets: the tested ones, or the oldest that are allowed (constraints-oldest.txt).
CONSTRAINTS ?= constraints.txt

VENV := .venv
RUN := $(VENV)/bin/python -m masktune
# The tests of a file share what they make, so a file stays in one process.
PARALLEL := --numprocesses 2 --dist loadfile
# Models made by the study are kept next to it; kernels come from .venv, whatever else is installed for the user.
export MASKTUNE_CACHE ?= $(CURDIR)/.cache
export JUPYTER_PREFER_ENV_PATH := 1

.DEFAULT_GOAL := help
.PHONY: help setup reproduce figures report bench test test-fast proofs newcomer course slides lessons site site-check lint format lab clean distclean

help:  ## show this list
	@echo "make TARGET [STUDY=$(STUDY)] [JOBS=$(JOBS)]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready  ## create .venv with the tested versions

$(VENV)/.ready: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[study,test]'
	@touch $@

reproduce: setup  ## run STUDY to its report: train what is missing, tables, notebooks; every study's figures
	@# A cell that failed is listed in the report, so the report is made; the failure is still the end.
	$(RUN) run $(STUDY) --jobs $(JOBS); status=$$?; [ $$status -le 1 ] && \
	$(RUN) gather $(STUDY) && $(RUN) report $(STUDY) && $(RUN) figures --all && $(RUN) summary && exit $$status

figures: setup  ## rebuild every table and figure of STUDY from stored runs, and RESULTS.md; no training
	$(RUN) figures $(STUDY) && $(RUN) summary

report: setup  ## execute the notebooks on the stored runs, write results/STUDY/report/index.html and RESULTS.md
	$(RUN) report $(STUDY) && $(RUN) summary

bench: setup  ## measure training steps, a stock Trainer's too, and the grid: results/bench, 15 minutes on 2 cores
	$(VENV)/bin/python -m benchmarks

test: setup  ## run the tests, but for the proofs; the style of what git's index holds is checked too
	$(VENV)/bin/python -m pytest $(PARALLEL) -m "not proof"

proofs: setup  ## the tests that together take minutes: Trainer's arguments one by one, every type of encoder
	$(VENV)/bin/python -m pytest $(PARALLEL) -m proof

test-fast: setup  ## the tests that take no seconds, for the inner loop
	$(VENV)/bin/python -m pytest $(PARALLEL) -m "not slow and not proof"

newcomer: setup  ## prove README's commands, in its order and twice, on a fresh clone of the last commit: half an hour
	$(VENV)/bin/python -m pytest tests/newcomer.py

course: setup  ## write the students' and the teachers' copies of the lessons in notebooks/course
	$(VENV)/bin/python -m masktune.course

slides: setup  ## write the slides of the lessons, with what their cells show, to notebooks/course/slides: some minutes
	$(VENV)/bin/python -m masktune.course.slides $(LESSON)

lessons: setup  ## prove that each lesson of the course shows what it says, over three seeds: some minutes
	$(VENV)/bin/python -m pytest --numprocesses 2 --dist load tests/course_whole.py

site: $(VENV)/.site  ## make course, results, reference and these pages one site of documentation: build/site/index.html
	$(VENV)/bin/python -m masktune.site

site-check: $(VENV)/.site  ## look at each page of the site in Chromium, on a phone and in the dark: minutes
	$(VENV)/bin/python -m masktune.site.check

$(VENV)/.site: $(VENV)/.ready
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[site]'
	@touch $@

lint: setup  ## check style, format and types of the working folder, notebooks too; a minute, the second time seconds
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: setup  ## format the code and mend what ruff can mend
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

lab: setup  ## open the notebooks in JupyterLab with the right kernel
	$(VENV)/bin/jupyter lab notebooks

clean:  ## remove the runs and the report of STUDY and all cached models; keep committed results and .venv
	rm -rf results/$(STUDY)/runs results/$(STUDY)/report results/$(STUDY)/notebooks/cells .cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean  ## clean, and remove .venv and the site
	rm -rf $(VENV) build
