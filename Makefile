# Pagewright. `make help` says what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Everything from Debian that building, running, testing and measuring need: the one list.
PACKAGES := libsqlite3-dev libpq-dev libhiredis-dev libarchive-dev libgumbo-dev libcrypt-dev zlib1g-dev libprotobuf-c-dev \
    nginx-light postgresql procps redis-server redis-sentinel bubblewrap socat \
    protobuf-compiler protobuf-c-compiler openssl curl rsync wrk zip \
    python3 python3-venv python3-doc chromium fonts-dejavu-core \
    gcc spin nftables iproute2 strace prometheus systemd

# What packages and hosts need beyond that: `make deb`, `make test-fleet`, and the reduced fleet of `make test`.
FLEET_PACKAGES := dpkg-dev binutils xz-utils systemd systemd-container mmdebstrap e2fsprogs openssh-client lintian man-db \
    ansible-core

# Hosts are booted by root.
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
# How many tests run side by side. Most of them start real programs.
TEST_WIDTH ?= $(shell echo $$(( $$(nproc) * 2 )))
SWIFT_FILES := Package.swift Sources Tests
# Nobody loads symbols from these programs: what is not exported need not be there. Packed relocations (glibc 2.36) and
# the linker of the toolchain take 5 MB from an agent's file and as much from its memory.
RELEASE_OPTIONS := -Xswiftc -use-ld=lld -Xlinker --no-export-dynamic -Xlinker --icf=safe \
    -Xlinker -z -Xlinker pack-relative-relocs

.PHONY: help packages fleet-packages toolchain build release deb test-fleet demo up test simulate model chaos lint format protos bench clean test-ui screenshots bench-ui

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

packages: ## Install the Debian packages that are missing
	@scripts/install-packages $(PACKAGES)

fleet-packages: ## Install the Debian packages that `make deb` and `make test-fleet` need, too
	@scripts/install-packages $(FLEET_PACKAGES)

toolchain:
	@command -v swift > /dev/null || { \
	    echo "There is no swift. Install Swift 6.3: https://www.swift.org/install/linux/" >&2; exit 1; }

build: packages toolchain ## Build the three programs
	swift build

release: packages toolchain ## Build them for real use: optimised, the Swift runtime inside
	@mkdir -p .build-release/static
	@for name in gumbo hiredis; do \
	    ln -sf "$$(gcc -print-file-name=lib$$name.a)" .build-release/static/lib$$name.a; done
	PAGEWRIGHT_STATIC_LIBRARIES=$(CURDIR)/.build-release/static \
	    swift build -c release --scratch-path .build-release --static-swift-stdlib $(RELEASE_OPTIONS)

deb: release fleet-packages ## Build the Debian packages into .build-packages, and print their sizes
	packaging/build --programs .build-release/release --output .build-packages

test-fleet: release fleet-packages ## Boot five hosts, provision them with Ansible and hurt them; FLEET="--away 10" adds options
	$(AS_ROOT) scripts/test-fleet --programs .build-release/release $(FLEET)

demo: build ## Run the main job once, from registration to roll-back, and check each step
	scripts/demo

up: build ## Run the whole system in the foreground; UP="--port 9000" adds options
	@exec "$$(swift build --show-bin-path)/pagewright" up $(UP)

lint: toolchain ## Check the layout of the Swift files
	swift format lint --strict --parallel --recursive $(SWIFT_FILES)

format: toolchain ## Settle the layout of the Swift files
	swift format --in-place --parallel --recursive $(SWIFT_FILES)

protos: packages toolchain ## Regenerate the code of Protos/
	scripts/generate-protos

test: packages fleet-packages toolchain ## Install what the tests need, and run them
	@scripts/install-test-tools
	@$(MAKE) lint
	swift build --build-tests
	scripts/check-protos
	packaging/check-units
	@scripts/run-tests --width $(TEST_WIDTH)
	scripts/model
	scripts/chaos --seed 1 --steps 2
	$(AS_ROOT) scripts/test-fleet --reduced --loose --programs "$$(swift build --show-bin-path)"

test-ui: build ## Drive all pages in a real browser, with and without a mouse and JavaScript
	@scripts/install-test-tools
	scripts/test-ui

screenshots: build ## Write a picture of every page and state into .build/screenshots
	@scripts/install-test-tools
	scripts/test-ui --pictures .build/screenshots

bench-ui: release ## Measure the pages: weight, HTML with 1,000 sites, events, first paint
	@scripts/install-test-tools
	.venv-test/bin/python bench/ui

simulate: packages toolchain ## Run the simulation with SEEDS=100000 seeds from FIRST=0, or one: SEED=7
	swift build -c release --scratch-path .build-release --product Simulate
	.build-release/release/Simulate $(if $(SEED),--seed $(SEED) --trace,--seeds $(or $(SEEDS),100000) --first $(or $(FIRST),0))

model: packages ## Check the model of the control plane with Spin, and that its mutants are caught
	scripts/model

chaos: build ## Hurt real processes; CHAOS="--seed 1 --count 3 --full" adds options
	scripts/chaos $(or $(CHAOS),--seed 1 --count 2 --full)

bench: release ## Measure against rsync, curl and nginx, and print a table
	bench/run

clean: ## Remove what was built
	rm -rf .build .build-release .build-packages
	$(AS_ROOT) rm -rf .build-fleet
