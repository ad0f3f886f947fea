# `make demo` and `make test` are where to begin. Every target sets up what it needs in .venv.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo studio test check site dist gallery docs format clean
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

demo: .venv/.installed ## bring a palace by day into the light of a bridge by night: out/demo.jpg
	$(BIN)/photostyle weights fetch
	$(BIN)/photostyle demo --output out

studio: .venv/.installed-studio ## choose, paint, preview and compare in the browser
	$(BIN)/photostyle weights fetch
	$(BIN)/photostyle studio

test: .venv/.installed-dev ## the whole test suite
	scripts/test

check: .venv/.installed-dev ## formatting, lint and types
	scripts/check

site: .venv/.installed-site ## the documentation as a site, site/index.html
	scripts/site

dist: .venv/.installed-dist ## the distributions, dist/, tried in an empty environment
	$(BIN)/python scripts/dist

gallery: .venv/.installed ## write docs/gallery/ anew: every recipe on the examples, some ten minutes
	$(BIN)/python scripts/gallery

docs: .venv/.installed-dev ## write docs/cli.md and docs/formats.md anew, and the line numbers in docs/equations.md
	$(BIN)/python scripts/docs
	$(BIN)/python scripts/formats

format: .venv/.installed-dev ## format the code and mend what lint can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(BIN)/biome format --write photostyle/studio/page

clean: ## remove everything that is not part of the source
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis out dist build site
	find . -name __pycache__ -prune -exec rm -rf {} +

# Stamps: the set-up is redone only when what it depends on changes. Without compiling all of PyTorch to bytecode
# it takes half the time; what is imported is compiled then.
.venv/.pip: constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt pip
	touch $@

.venv/.installed: .venv/.pip pyproject.toml
	$(BIN)/python -m pip install --no-compile -c constraints.txt -e .
	touch $@

.venv/.installed-studio: .venv/.installed
	$(BIN)/python -m pip install --no-compile -c constraints.txt -e '.[studio]'
	touch $@

.venv/.installed-dev: .venv/.installed
	$(BIN)/python -m pip install --no-compile -c constraints.txt --group dev
	touch $@

.venv/.installed-site: .venv/.installed
	$(BIN)/python -m pip install --no-compile -c constraints.txt --group site
	touch $@

.venv/.installed-dist: .venv/.pip
	$(BIN)/python -m pip install --no-compile -c constraints.txt --group dist
	touch $@
