# Everything a person types. `make help` lists it. The steps themselves are in tools/, CMake does the compiling.
# SPDX-License-Identifier: MIT

.DEFAULT_GOAL := help
.PHONY: help run build test check bench fuzz golden format clean proof profile \
        check-format check-layers check-pitfalls check-tidy check-threads check-fuzz

# The folder with recorded traffic and schemas, where there is one beside the project. Tests over it skip without it.
SLUICE_SHARED ?= $(realpath $(CURDIR)/../shared)
ifneq ($(SLUICE_SHARED),)
export SLUICE_SHARED
endif

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1   \2/p' $(MAKEFILE_LIST)

run: build ## install what is missing, build, and serve (ARGS="--config my.yaml")
	@exec build/release/sluice serve $(ARGS)

build: ## install what is missing and build build/release/sluice
	@tools/bootstrap build
	@tools/build release sluice layers

test: build ## unit tests under address and undefined sanitizers, black-box tests on the release binary, a part of them on both
	@tools/bootstrap test
	@tools/build asan
	@ln -sfn build/asan/compile_commands.json compile_commands.json
	@tools/run_tests asan --black-box

check: check-format check-layers check-pitfalls check-tidy check-threads check-fuzz ## all that `make test` leaves out
	@echo "check: all well"

check-format: ## layout by .clang-format
	@tools/bootstrap check
	@echo "check: layout"
	@tools/check_format

check-layers: ## lower folders never include upper ones
	@echo "check: layers"
	@tools/check_layers --self-test

check-pitfalls: ## every bug that others had is guarded by a test (docs/pitfalls.md)
	@echo "check: pitfalls"
	@tools/check_pitfalls --self-test

check-tidy: ## clang-tidy over what changed
	@tools/bootstrap build test check
	@tools/build asan
	@echo "check: clang-tidy"
	@tools/check_tidy

# The layers in which threads meet; everything below is pure and runs under the other sanitizers.
THREADED := policy ledger store net telemetry gateway
comma := ,
space := $(subst ,, )

check-threads: ## unit tests under the thread sanitizer
	@tools/bootstrap build test
	@tools/build tsan $(addsuffix _test,$(THREADED))
	@tools/run_tests tsan --only $(subst $(space),$(comma),$(THREADED))

check-fuzz: ## a minute over the fuzzers' seeds, the same every time
	@tools/bootstrap build test
	@tools/build fuzz fuzzers
	@echo "check: fuzzers, a minute together"
	@tools/fuzz all 60

fuzz: ## every fuzzer for a minute (SECONDS=60)
	@tools/bootstrap build test
	@tools/build fuzz fuzzers
	@tools/fuzz each $(or $(SECONDS),60)

bench: build ## our bars as ratios to nginx, in one table (ARGS="--runs 15")
	@tools/bootstrap bench
	@bench/run $(ARGS)

profile: ## count anew what a release build is optimised by (a quiet machine; minutes)
	@tools/bootstrap build test bench
	@tools/profile

golden: ## rewrite the golden files and generated pages; the diff is the review
	@tools/bootstrap build test
	@tools/build asan
	@SLUICE_GOLDEN=rewrite tools/run_tests asan
	@SLUICE_GOLDEN=rewrite tests/run build/asan/sluice -k square
	@git status --short -- docs src tests

format: ## lay out every C++ file
	@tools/bootstrap check
	@git ls-files -z --cached --others --exclude-standard '*.cc' '*.h' | xargs -0 -r -n 20 clang-format-19 -i

proof: ## prove the set-up in a fresh Debian 12 (root; see CONTRIBUTING.md)
	@tools/bootstrap proof
	@tools/prove_bootstrap

clean: ## remove everything that was built
	@rm -rf build compile_commands.json
