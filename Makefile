# Everyday commands. “make lab” and “make test” only need a Debian machine with Swift.

SWIFT ?= swift
# The tests and the lab create network namespaces, which needs root.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo -E env "PATH=$(PATH)")

SEEDS ?= 1..100000

.DEFAULT_GOAL := help
.PHONY: help build lab test image format lint soak fuzz bench clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build everything, for debugging.
	scripts/install-dependencies build
	$(SWIFT) build

lab: ## Demonstrate a mesh: a square of four comes up, loses a cable under traffic, recovers, and is removed.
	scripts/install-dependencies build
	$(SWIFT) build --product meshd
	$(SWIFT) build --product meshctl
	$(SWIFT) build --product meshlab
	$(AS_ROOT) "$$($(SWIFT) build --show-bin-path)/meshlab" demo

test: ## Run every test, with real routers in namespaces.
	scripts/install-dependencies test
	# Fetched while the build runs, for tests that need them.
	scripts/manifest-validator >/dev/null & scripts/kubectl >/dev/null & $(SWIFT) build --build-tests && wait
	$(AS_ROOT) scripts/run-tests

image: ## Build the container image on a minimal Debian, and run two nodes of it.
	$(AS_ROOT) scripts/test-image

format: ## Format all sources.
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests

lint: ## Check format, imports and that there are no warnings.
	scripts/install-dependencies build
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests
	scripts/check-imports
	scripts/check-warnings

SECONDS ?= 60
fuzz: ## Fuzz the decoder and the router, SECONDS each.
	Fuzzing/run.sh $(SECONDS)

soak: ## Simulate meshes from SEEDS (1..100000), until one breaks a promise.
	KUBERMESH_CORE=1 $(SWIFT) run -c release --scratch-path .build-core meshsim --seeds $(SEEDS)

bench: ## Run every benchmark, with FRR, BIRD and SciPy if installed.
	scripts/install-dependencies test
	Benchmarks/run.sh

clean: ## Remove build products.
	$(SWIFT) package clean
