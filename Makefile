# Jackfield. "make help" lists the targets.
SHELL := /bin/bash
TAGS := -tags migrated_fynedo,no_animations
BIN := bin
VERSION := $(shell git describe --tags --always 2>/dev/null || echo dev)
LDFLAGS := -X main.version=$(VERSION)
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/jackfield
export JACKFIELD_TEST_CACHE := $(CACHE)
PURE := ./connectors/... ./platform/... ./cmd/jf/... ./cmd/internal/...

.PHONY: help run build jf deps deps-run deps-test test test-short cross lint bench shots package package-test fuzz clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: deps-run build jf ## install what is missing, build, open the window (or tour in the terminal)
	@bash .ci/launch $(BIN)

build: ## the window
	go build $(TAGS) -ldflags '$(LDFLAGS)' -o $(BIN)/jackfield ./cmd/jackfield

jf: ## the terminal program, without cgo
	CGO_ENABLED=0 go build -ldflags '$(LDFLAGS)' -o $(BIN)/jf ./cmd/jf

deps-run: ## what building and running needs
	@bash .ci/deps run

deps-test: ## what the tests need: real servers, a screen, a browser
	@bash .ci/deps test

test: deps-run deps-test ## everything, against real servers
	@bash .ci/test

cross: deps-test ## the other systems compile and vet; the window builds for Windows
	@bash .ci/cross

lint: ## gofmt, vet, golangci-lint, govulncheck
	@bash .ci/lint

bench: deps-run deps-test ## timings as ratios against native clients of the same run
	@bash .ci/bench

shots: deps-run deps-test ## screenshots of every screen, in dist/shots
	@mkdir -p dist/shots && JACKFIELD_SHOTS=$(CURDIR)/dist/shots go test $(TAGS) -count 1 -run 'Shots|Storybook' ./gui/... && ls dist/shots

package: ## packages for Linux, Windows and macOS, checksums and a bill of materials, in dist
	@bash .ci/package

package-test: ## install, start, photograph and remove the packages; the Windows ones under Wine
	@bash .ci/packagetest

fuzz: ## every fuzz target for half a minute, two at a time
	@bash .ci/fuzz 30s

clean: ## remove what was built
	rm -rf $(BIN) dist
