# The commands of everyday work. “make lab” and “make test” need nothing but a Debian machine with Swift.

SWIFT ?= swift
# The tests and the lab make network namespaces, which takes root.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo -E env "PATH=$(PATH)")

.DEFAULT_GOAL := build
.PHONY: build lab test format lint bench soak fuzz clean

build: ## Build everything, for debugging.
	scripts/install-dependencies build
	$(SWIFT) build

lab: ## A square of four nodes comes up, loses a cable under traffic, is healed, and goes.
	scripts/install-dependencies build
	$(SWIFT) build --product meshd
	$(SWIFT) build --product meshctl
	$(SWIFT) build --product meshlab
	$(AS_ROOT) "$$($(SWIFT) build --show-bin-path)/meshlab" demo

test: ## Every test, with real routers in namespaces.
	scripts/install-dependencies test
	$(SWIFT) build --build-tests
	$(AS_ROOT) $(SWIFT) test --skip-build

format: ## Put all sources into the one format.
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests

lint: ## Check format, imports and that nothing warns.
	scripts/install-dependencies build
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests
	scripts/check-imports
	scripts/check-warnings

SECONDS ?= 60
fuzz: ## Fuzz the decoder and the router, each for SECONDS.
	Fuzzing/run.sh $(SECONDS)

clean: ## Remove what was built.
	$(SWIFT) package clean
