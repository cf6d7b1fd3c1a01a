# Every command of the project. `make help` lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Each module is tested as its go.mod says. A go.work above the clone does not know these modules, and
# every command would fail.
export GOWORK := off

# The modules of this repository. The main one requires nothing that only tests, examples
# or the simulated workspace need.
MODULES := . integration integration/conformance integration/adoption integration/operators integration/soak integration/bench examples

# The conformance suite, and the versions of databricks-sql-go it runs on. The first is the one in
# go.mod; every other has a module file of its own.
CONFORMANCE := integration/conformance
DRIVERS := v1.14.0 v1.15.1

# What the other versions are not needed for, the size of a program and the programs of the documents, and what
# runs with the first version.
ONCE := /(binary|guide|adopt)$$
# What else is tested on them: the DSN mapping is held against each driver's own parser.
ALSO := github.com/seed-01322ee7/databricks-telemetry/driverwrap

GOLANGCI_LINT_VERSION := v2.12.0
GOLANGCI_LINT := bin/golangci-lint-$(GOLANGCI_LINT_VERSION)
ACTIONLINT_VERSION := v1.7.12
GOVULNCHECK_VERSION := v1.3.0
FUZZINPUTS ?= 20000
SOAK ?= 5m
BENCHFLAGS ?=

# Tests run under the race detector, all but the SQL engine of the simulated workspace: it is
# SQLite, and six times as slow with it. What `make lint` vets is not vetted again.
RACE := -race -gcflags=modernc.org/...=-race=false
# Where there is no C compiler, go says no more than "-race requires cgo; enable cgo".
NEEDS_CGO := [ "$$(go env CGO_ENABLED)" = 1 ] || { echo "the race detector needs cgo: install gcc or set CC, and do not set CGO_ENABLED=0" >&2; exit 1; }
# A third of the time that small tests take is that of linking them; debuggers alone need DWARF.
LINK := -ldflags=-w
# The native driver polls once a second: many tests wait rather than work. Tests of adoption compile
# programs: with empty caches, on two cores that are busy, that alone takes over 10 minutes.
TESTFLAGS ?= -vet=off -parallel 16 -timeout 20m
# Tests and the compiler spend a seventh of their time on collecting garbage otherwise.
test: export GOGC := 400
# A program under the race detector sleeps for a second before it ends, for goroutines that are left.
# Tests wait for those they start.
test: export GORACE := atexit_sleep_ms=0

.PHONY: help
help: ## list the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## run statements of every kind against a simulated workspace and print what was measured
	@cd examples && go run ./quickstart

.PHONY: test
test: ## run every test, nearly all under the race detector; the conformance suite on every driver version
	@$(NEEDS_CGO)
	@$(MAKE) --no-print-directory -j 3 test-conformance test-drivers test-modules

# The table of where time goes has thousands of statements in fake time. The race detector would
# make them four times as slow, and has their kinds to watch in the tests beside the table.
TABLE := ^TestThePartOfACauseHasItsTimeInEveryState$$
# Reaches no driver, and counts a million records.
SETTINGS := ^TestEverySettingDoesWhatItSays$$
# The driver's own examples are adopted on the first and the newest version. Both wait for logins on one port of
# the machine, so one version runs after the other.
NEWEST := $(lastword $(DRIVERS))

.PHONY: test-conformance
test-conformance: ## run a third of the tests: the conformance suite
	@$(NEEDS_CGO)
	@echo "== go test -race ($(CONFORMANCE))"
	@cd $(CONFORMANCE) && go test $(RACE) $(LINK) $(TESTFLAGS) -skip '$(TABLE)' ./...
	@echo "== go test -race ($(CONFORMANCE)/adopt, databricks-sql-go $(NEWEST))"
	@cd $(CONFORMANCE) && go test $(RACE) $(LINK) $(TESTFLAGS) -modfile=driver-$(NEWEST).mod ./adopt
	@echo "== go test (where time goes, by cause, on every driver version)"
	@cd $(CONFORMANCE) && go test $(LINK) $(TESTFLAGS) -run '$(TABLE)' ./wrapped
	@cd $(CONFORMANCE) && for v in $(DRIVERS); do go test $(LINK) $(TESTFLAGS) -modfile=driver-$$v.mod -run '$(TABLE)' ./wrapped || exit 1; done

# A quarter of the random scenes shows what another driver version does differently.
.PHONY: test-drivers
test-drivers: export SCENES ?= 25
test-drivers: ## run another third: the conformance suite on the other driver versions
	@$(NEEDS_CGO)
	@for v in $(DRIVERS); do \
		echo "== go test -race (driverwrap and $(CONFORMANCE), databricks-sql-go $$v)"; \
		(cd $(CONFORMANCE) && set -o pipefail && packages=$$(go list ./... | grep -vE '$(ONCE)') && \
			go test $(RACE) $(LINK) $(TESTFLAGS) -modfile=driver-$$v.mod -skip '$(TABLE)|$(SETTINGS)' $$packages $(ALSO)) || exit 1; \
	done

.PHONY: test-modules
test-modules: ## run the last third: every other module, and the limits on allocations
	@$(NEEDS_CGO)
	@for m in $(filter-out $(CONFORMANCE),$(MODULES)); do \
		echo "== go test -race ($$m)"; \
		(cd $$m && go test $(RACE) $(LINK) $(TESTFLAGS) ./...) || exit 1; \
	done
	@echo "== go test -run Alloc (the race detector allocates, so the limits are held without it)"
	@go test $(LINK) -vet=off -run Alloc ./cloudfetch ./driverwrap ./telemetry/... ./internal/...

# The driver and the SQL engine of the simulated workspace run on 32 bits; of the benchmarks, a
# dependency does not compile there.
.PHONY: test-386
test-386: ## vet every module but the benchmarks, and run the main module's tests, for 32 bits
	@for m in $(filter-out integration/bench,$(MODULES)); do \
		echo "== GOARCH=386 go vet ($$m)"; \
		(cd $$m && CGO_ENABLED=0 GOARCH=386 go vet ./...) || exit 1; \
	done
	@echo "== GOARCH=386 go test (.)"
	@CGO_ENABLED=0 GOARCH=386 go test -vet=off ./...

.PHONY: vulnerabilities
vulnerabilities: ## look for known vulnerabilities in what every module calls
	@for m in $(MODULES) integration/adoption/usql; do \
		echo "== govulncheck ($$m)"; \
		(cd $$m && go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) ./...) || exit 1; \
	done

.PHONY: bench
bench: ## measure what the driver costs, paired with the native one, and write docs/BENCHMARKS.md
	@cd integration/bench && go run . $(BENCHFLAGS)

.PHONY: microbench
microbench: ## run the Go benchmarks of every package
	@for m in $(MODULES); do \
		echo "== go test -bench ($$m)"; \
		(cd $$m && go test -run '^$$' -bench . -benchmem ./...) || exit 1; \
	done

.PHONY: page-images
page-images: ## draw the pictures of docs/DEBUGPAGE.md anew, with a browser
	@dir=$$(mktemp -d) && (cd integration/operators && REQUIRE_TOOLS=1 ARTIFACTS="$$dir" go test -count=1 -run TestAnOperatorSeesABusyProcess ./page) \
		&& cp "$$dir"/debug-page-*.png docs/images/ && rm -r "$$dir"

.PHONY: soak
soak: ## run random programs under random faults and steps of the clock for SOAK (5m) and compare with the native driver
	@$(NEEDS_CGO)
	@cd integration/soak && go run ./clockstep test $(RACE) -v -run ClockSteps -timeout 10m .
	@cd integration/soak && go run ./clockstep test $(RACE) -v -run TestSoak -timeout 0 . -soak $(SOAK)

.PHONY: soak-server
soak-server: ## keep the simulated workspace busy for SOAK (5m) with clients that cancel, fail and vanish
	@cd integration && go test -v -run 'TestSoak$$' -timeout 0 ./workspace -soak $(SOAK)

# Each package with fuzz targets is built once, and what they found before is kept where go test
# keeps it. A target ends after a number of inputs: one that ends after a time may fail with
# "context deadline exceeded" where nothing is wrong (golang.org/issue/75804).
.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZINPUTS inputs (20000)
	@set -o pipefail; built=$$(mktemp -d) && trap 'rm -r "$$built"' EXIT && cache=$$(go env GOCACHE)/fuzz && \
	for m in $(MODULES); do \
		(cd $$m && go list -f '{{.ImportPath}} {{.Dir}}' ./... | while read -r pkg dir; do \
			targets=$$(cd "$$dir" && sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' $$(ls | grep '_test[.]go$$') </dev/null); \
			[ -n "$$targets" ] || continue; \
			go test -vet=off $(LINK) -c -fuzz . -o "$$built/fuzz" $$pkg || exit 1; \
			for target in $$targets; do \
				echo "== $$pkg $$target ($(FUZZINPUTS) inputs)"; \
				(cd "$$dir" && "$$built/fuzz" -test.run '^$$' -test.fuzz "^$$target$$" -test.fuzztime $(FUZZINPUTS)x -test.fuzzminimizetime 20x -test.fuzzcachedir "$$cache/$$pkg") || exit 1; \
			done || exit 1; \
		done) || exit 1; \
	done

# golangci-lint caches results by the content of a package, but with the full paths of its files. In
# another clone with the same content those files, and the //nolint in them, may not be found. So each
# clone has a cache of its own, and a new one when it is moved. Clones may be linted at the same time.
.PHONY: lint
lint: export GOLANGCI_LINT_CACHE := $(CURDIR)/bin/lint$(CURDIR)
lint: $(GOLANGCI_LINT) ## vet and lint every module, and the workflows of hosted CI
	@echo "== actionlint (.github/workflows)"
	@go run github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION)
	@for m in $(MODULES); do \
		echo "== go vet, golangci-lint ($$m)"; \
		(cd $$m && go vet ./... && "$(CURDIR)/$(GOLANGCI_LINT)" run --allow-parallel-runners --config "$(CURDIR)/.golangci.yml" ./...) || exit 1; \
	done

$(GOLANGCI_LINT):
	@echo "== building golangci-lint $(GOLANGCI_LINT_VERSION), once (a few minutes)"
	@GOBIN="$(CURDIR)/bin" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@mv bin/golangci-lint $@

.PHONY: release-check
release-check: ## what must hold before a version is tagged (with TAG=v1.2.3: what must hold of the tag)
	@TAG=$(TAG) .ci/release-check

.PHONY: release-notes
release-notes: ## print the changelog's section of this version
	@.ci/release-check notes

.PHONY: api
api: ## list the names of this version that users rely on, in api/
	@! grep -q '^## Unreleased' CHANGELOG.md || { echo "raise telemetry.Version, and give the Unreleased section of CHANGELOG.md that number, first: the listing of the last version stays as it is"; exit 1; }
	@cd integration && go run ./internal/apicheck -repository .. -write ../api/v$$(sed -n 's/^const Version = "\(.*\)"$$/\1/p' ../telemetry/version.go).txt
