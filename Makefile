# The checks of hubbub. `make help` lists the targets.

SHELL := /bin/bash -o pipefail

# Tools, pinned here alone.
GOFUMPT     := go run mvdan.cc/gofumpt@v0.12.0
STATICCHECK := go run honnef.co/go/tools/cmd/staticcheck@v0.8.2

# What may be set: make nightly FUZZTIME=1h, make bench BENCHFLAGS=-quick,
# make benchmarks BENCH=Bulk PACKAGES=./transport/tcp,
# make mutants MUTATE=./wire SAMPLE=200 SEED=7
TIMEOUT  ?= 18m
FUZZTIME ?= 2m
BENCH    ?= .
MUTATE   ?= ./transport/tcp
SAMPLE   ?= 0
SEED     ?= 1
PACKAGES ?= $(shell .ci/packages-with '^func Benchmark')

# No check needs the commit in a binary, and asking git for it fails in a tree
# that another user owns.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

step = @printf '\n== %s ==\n' "$(1)"

.NOTPARALLEL:

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: deps format vet staticcheck rfc-check build allocations race bench-test ## install what is needed, then check and test everything

.PHONY: deps
deps: ## install the Debian packages and Go modules that the tests need
	$(call step,What the tests need)
	@.ci/deps
	go mod download
	cd bench && go mod download

.PHONY: format
format: ## fail if a Go file isn't formatted as gofumpt does
	$(call step,Format (gofumpt))
	@files=$$($(GOFUMPT) -l .) || exit 1; \
	if [ -n "$$files" ]; then \
		echo "These files aren't formatted; 'make fix' does it:"; echo "$$files"; exit 1; \
	fi

.PHONY: fix
fix: ## format all Go files
	$(GOFUMPT) -w .

.PHONY: vet
vet: ## run go vet
	$(call step,go vet)
	go vet ./...
	cd bench && go vet ./...

.PHONY: staticcheck
staticcheck: ## run staticcheck
	$(call step,staticcheck)
	$(STATICCHECK) ./...
	cd bench && $(STATICCHECK) ./...

.PHONY: rfc-check
rfc-check: ## fail if docs/rfc.md isn't up to date
	$(call step,docs/rfc.md is up to date)
	go run ./internal/rfcdoc -check

.PHONY: build
build: ## build every package, and what isn't Linux's alone for another system
	$(call step,go build)
	go build ./...
	GOOS=windows go build . ./edge ./lab ./application/... ./cmd/...
	cd bench && go build ./...

.PHONY: allocations
allocations: ## run the tests that count allocations, which the race detector hinders
	$(call step,Tests of allocations; without the race detector)
	@.ci/go-test -run Alloc $$(.ci/packages-with '^func Test.*Alloc')

.PHONY: race
race: ## run all tests, and the seeds of the fuzz targets, with the race detector
	$(call step,Tests with the race detector)
	@.ci/go-test -race -timeout $(TIMEOUT) ./...

.PHONY: nightly
nightly: test ## make test, then property tests with 10,000 cases, 10 million hostile TCP segments, 300 mutants, and every fuzz target for FUZZTIME (2m)
	$(call step,Property tests with 10000 cases)
	@HUBBUB_NIGHTLY=1 .ci/go-test -timeout 6h ./...
	$(call step,Ten million hostile segments; each followed by a look at the whole control block)
	HOSTILE_SEGMENTS=10000000 go test -count 1 -timeout 1h -run TestHostileSegments -v ./transport/tcp
	$(call step,Mutants of transport/tcp; 300 of them)
	go run ./internal/mutate -sample 300 -seed $(SEED) -least 90 ./transport/tcp
	$(call step,Fuzz targets; $(FUZZTIME) each)
	@.ci/fuzz $(FUZZTIME)

.PHONY: mutants
mutants: ## make small mistakes in a package, and count which its tests notice (MUTATE=./transport/tcp SAMPLE=200 SEED=7)
	go run ./internal/mutate -sample $(SAMPLE) -seed $(SEED) $(MUTATE)

.PHONY: bench-test
bench-test: ## test bench, which measures hubbub beside others: a module of its own
	$(call step,Tests of bench)
	@cd bench && ../.ci/go-test ./...

.PHONY: bench
bench: ## measure hubbub beside gVisor, Linux and net.Pipe (three quarters of an hour, as root; BENCHFLAGS=-quick)
	cd bench && go build . && ./bench $(BENCHFLAGS)

.PHONY: benchmarks
benchmarks: ## run Go's benchmarks (BENCH=regexp PACKAGES=...)
	go test -run '^$$' -bench '$(BENCH)' -benchmem $(PACKAGES)

.PHONY: rfc
rfc: ## write docs/rfc.md anew from the citations
	go run ./internal/rfcdoc

.PHONY: golden
golden: ## write the golden files anew; look at the difference before you commit it
	go test -run Golden $$(.ci/packages-with 'flag\.Bool\("update"') -update

.PHONY: packetdrill
packetdrill: ## build the libraries through which packetdrill judges hubbub
	go build -buildmode=c-shared -o interop/packetdrill/bin/libhubbub.so ./interop/packetdrill/so
	$(CC) -shared -fPIC -Wall -Wextra -O2 -o interop/packetdrill/bin/libpreload.so interop/packetdrill/preload/preload.c -ldl

.PHONY: packetdrill-test
packetdrill-test: packetdrill ## run the project's packetdrill scripts through hubbub, and through the kernel
	$(call step,packetdrill scripts through hubbub)
	interop/packetdrill/run interop/packetdrill/scripts
	$(call step,packetdrill scripts through the kernel)
	interop/packetdrill/run -k interop/packetdrill/scripts

.PHONY: loss-table
loss-table: ## measure hubbub's half of the table of goodput through harm, and write docs/loss.md anew (half an hour of processor time)
	go run ./interop/loss hubbub

.PHONY: loss-linux
loss-linux: ## measure Linux's half of that table, in real time (half an hour, as root)
	go build -o interop/loss/bin/loss ./interop/loss
	chrt -r 1 interop/loss/bin/loss -parallel 8 -only ^10M linux
	chrt -r 1 interop/loss/bin/loss -parallel 2 -only '^1G/.*/(loss|burst).* (reno|cubic)' linux

.PHONY: fairness
fairness: ## let connections share a link, hubbub's and Linux's, and write docs/loss.md anew (ten minutes, as root)
	go build -o interop/loss/bin/loss ./interop/loss
	interop/loss/bin/loss fair
	chrt -r 1 interop/loss/bin/loss fair-linux
