# The commands of everyday work. “make lab” and “make test” need nothing but a Debian machine with Swift.

SWIFT ?= swift
# The tests and the lab make network namespaces, which takes root.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo -E env "PATH=$(PATH)")

SEEDS ?= 1..100000

.DEFAULT_GOAL := help
.PHONY: help build lab test image format lint soak fuzz bench clean

help: ## This list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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
	# Fetched while the build runs, for tests that need them.
	scripts/manifest-validator >/dev/null & scripts/kubectl >/dev/null & $(SWIFT) build --build-tests && wait
	$(AS_ROOT) scripts/run-tests

image: ## Build the container image on a minimal Debian, and run two nodes of it.
	$(AS_ROOT) scripts/test-image

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

soak: ## Simulated meshes from SEEDS (1..100000), until one breaks a promise.
	KUBERMESH_CORE=1 $(SWIFT) run -c release --scratch-path .build-core meshsim --seeds $(SEEDS)

bench: ## Every benchmark, beside FRR, BIRD and SciPy where they are there.
	scripts/install-dependencies test
	Benchmarks/run.sh

clean: ## Remove what was built.
	$(SWIFT) package clean
