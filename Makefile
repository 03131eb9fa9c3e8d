# The image that docker-build makes and deploy runs.
IMG ?= dataarts-operator:latest
# What docker-build calls: docker, podman, nerdctl.
CONTAINER_TOOL ?= docker
# What the binaries answer when asked for their version.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# The packages that test and deflake look at.
PKG ?= ./...
# The race detector needs a C compiler; Go says whether it found one.
RACE ?= $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)
# How long each fuzz target runs.
FUZZTIME ?= 20s

BIN := $(CURDIR)/bin
# Where hack/controlplane.sh makes etcd, kube-apiserver and kubectl appear.
ASSETS := $(BIN)/k8s/current
# The kubectl of the PATH, else the one that comes with the control plane.
KUBECTL ?= $(or $(shell command -v kubectl),$(ASSETS)/kubectl)

# Every module of this repository.
MODULES := . hack/controlplane hack/tools hack/tools/golangci-lint

CONTROLLER_GEN := $(BIN)/controller-gen
GINKGO := $(BIN)/ginkgo
GOLANGCI_LINT := $(BIN)/golangci-lint
GOVULNCHECK := $(BIN)/govulncheck

SHELL := /usr/bin/env bash
.SHELLFLAGS := -e -o pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:

.PHONY: all
all: build

##@ General

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN { FS = ":.*##" } \
		/^##@/ { printf "\n\033[1m%s\033[0m\n", substr($$0, 5) } \
		/^[a-z-]+:.*?##/ { printf "  \033[36m%-18s\033[0m%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: clean
clean: ## Remove everything that was built, the control plane included.
	rm -rf $(BIN)

##@ Development

.PHONY: manifests
manifests: $(CONTROLLER_GEN) ## Generate CRDs, RBAC and webhook configuration from the markers in the code.
	$(CONTROLLER_GEN) rbac:roleName=manager-role crd webhook \
		paths=./api/... paths=./internal/... output:crd:artifacts:config=config/crd/bases

.PHONY: generate
generate: $(CONTROLLER_GEN) ## Generate the deep copies of the API types.
	$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt paths=./api/...

.PHONY: fmt
fmt: ## Format the code.
	go fmt ./...

.PHONY: vet
vet: ## Run go vet.
	go vet ./...

.PHONY: tidy
tidy: ## Bring every go.mod and go.sum up to date.
	@for module in $(MODULES); do (set -x; go -C $$module mod tidy); done

##@ Tests

# The end-to-end tests need a kube-controller-manager. Nothing else waits for one.
define provide-controller-manager
@if go list $(PKG) | grep '/test/e2e$$' >/dev/null; then hack/controlplane.sh kube-controller-manager; fi
endef

# Every test package is a Ginkgo suite, so all of them know the flag after -args.
.PHONY: test
test: controlplane ## Run all tests in random order, with the race detector where there is a C compiler.
	$(provide-controller-manager)
	$(if $(RACE),,@echo 'test: without the race detector, as there is no C compiler')
	KUBEBUILDER_ASSETS=$(ASSETS) go test $(RACE) -shuffle=on -timeout=20m $(PKG) -args -ginkgo.randomize-all

.PHONY: deflake
deflake: controlplane $(GINKGO) ## Repeat tests N times, or without N until one fails: make deflake PKG=./internal/lifecycle N=50
	$(provide-controller-manager)
	KUBEBUILDER_ASSETS=$(ASSETS) $(GINKGO) $(if $(N),--repeat=$(N),--until-it-fails) \
		--race --randomize-all --randomize-suites $(PKG)

.PHONY: crash-matrix
crash-matrix: controlplane ## Crash and hinder the operator at every request it makes. MUTANTS=1 proves that this would notice. ARGS= passes flags.
	@mkdir -p $(BIN)
	@go build -o $(BIN)/crashmatrix ./test/crashmatrix
	@KUBEBUILDER_ASSETS=$(ASSETS) exec $(BIN)/crashmatrix $(if $(MUTANTS),--mutants) $(ARGS)

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME.
	@go test -list=^Fuzz ./... | \
		awk '/^Fuzz/ { targets[n++] = $$1 } /^ok/ { while (n > 0) print $$2, targets[--n] }' | \
		while read -r package target; do \
			(set -x; go test -run='^$$' -fuzz="^$$target$$" -fuzztime=$(FUZZTIME) $$package); \
		done

# What soak is told; ARGS= passes further flags, such as --seed=1.
soak-flags := $(if $(DURATION),--duration=$(DURATION)) $(ARGS)

.PHONY: soak
soak: controlplane build ## Let faults loose on two managers for DURATION (60s), then judge every package. ARGS=--seed=N repeats a plan.
	CGO_ENABLED=0 go build -trimpath -o $(BIN)/ ./test/soak
	@KUBEBUILDER_ASSETS=$(ASSETS) exec $(BIN)/soak $(soak-flags)

# What bench is told; ARGS= passes further flags, such as --keep-logs.
bench-flags := $(if $(N),--packages=$(N)) $(if $(SCENARIO),--scenario=$(SCENARIO)) $(ARGS)

.PHONY: bench
bench: controlplane build ## Measure the manager beside a bare loop: N=1000 packages, SCENARIO=pack,poll,delete,recover,throttled,unthrottled,cadence,scale,crash (all).
	CGO_ENABLED=0 go build -trimpath -o $(BIN)/ ./test/bench ./test/crashmatrix
	@KUBEBUILDER_ASSETS=$(ASSETS) exec $(BIN)/bench $(bench-flags)

##@ Checks

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Run the linters.
	$(GOLANGCI_LINT) run

.PHONY: lint-fix
lint-fix: $(GOLANGCI_LINT) ## Run the linters and apply the fixes that they know.
	$(GOLANGCI_LINT) run --fix

.PHONY: lint-config
lint-config: $(GOLANGCI_LINT) ## Check the linters' configuration.
	$(GOLANGCI_LINT) config verify

.PHONY: verify
verify: manifests generate fmt tidy ## Fail when something that was generated, formatted or tidied differs from the commit.
	@if [[ -n "$$(git status --porcelain)" ]]; then \
		echo 'verify: the work tree differs from the commit:'; \
		git status --short; \
		git --no-pager diff; \
		exit 1; \
	fi

# With -version, govulncheck does nothing but ask the database for its date, and tells it
# when the database answers.
.PHONY: vulncheck
vulncheck: $(GOVULNCHECK) ## Look for known vulnerabilities, where the database can be reached.
	@version=$$($(GOVULNCHECK) -version); \
	if [[ $$version == *'DB updated: '* ]]; then \
		$(GOVULNCHECK) ./...; \
	else \
		echo 'vulncheck: skipped, because the vulnerability database cannot be reached from here'; \
	fi

##@ Build and run

.PHONY: build
build: ## Build every command into bin/.
	mkdir -p $(BIN)
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN)/ ./cmd/...

.PHONY: controlplane
controlplane: ## Provide etcd, kube-apiserver and kubectl in bin/k8s. The first time may take minutes.
	@hack/controlplane.sh

.PHONY: controller-manager
controller-manager: ## Provide kube-controller-manager in bin/k8s, for test/e2e. The first time takes minutes.
	@hack/controlplane.sh kube-controller-manager

.PHONY: run
run: controlplane build ## Run the playground: a control plane, the simulator and the manager. ONCE=1 ends after one round.
	@KUBEBUILDER_ASSETS=$(ASSETS) exec $(BIN)/playground $(if $(ONCE),--once) $(ARGS)

.PHONY: run-simulator
run-simulator: build ## Run the simulator. ARGS= passes flags.
	@exec $(BIN)/simulator $(ARGS)

.PHONY: run-manager
run-manager: build ## Run the manager against the cluster of the current kubeconfig. ARGS= passes flags.
	@exec $(BIN)/manager $(ARGS)

.PHONY: docker-build
docker-build: ## Build the manager's image.
	$(CONTAINER_TOOL) build --build-arg VERSION=$(VERSION) --tag $(IMG) .

##@ Deployment

kubectl-needs := $(if $(filter $(ASSETS)/%,$(KUBECTL)),controlplane)

# Without the operator, the finalizers of what is left would keep it for ever.
define no-packages-left
@if [[ -n "$$($(KUBECTL) get releasepackages.release.dataarts-operator.io -A -o name --ignore-not-found 2>/dev/null)" ]]; then \
	echo 'There are ReleasePackages left. Delete them first and wait until they are gone.' >&2; \
	exit 1; \
fi
endef

# Puts IMG where the manifests name the default image.
set-image := sed 's|image: dataarts-operator:latest$$|image: $(IMG)|'

.PHONY: install
install: $(kubectl-needs) ## Install the CRDs into the current cluster.
	$(KUBECTL) apply --server-side -k config/crd

.PHONY: uninstall
uninstall: $(kubectl-needs) ## Remove the CRDs, and with them every object of these kinds.
	$(no-packages-left)
	$(KUBECTL) delete --ignore-not-found -k config/crd

.PHONY: deploy
deploy: $(kubectl-needs) ## Deploy CRDs and manager to the current cluster, with the image IMG.
	$(KUBECTL) kustomize config/default | $(set-image) | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy
undeploy: $(kubectl-needs) ## Remove what deploy has created.
	$(no-packages-left)
	$(KUBECTL) delete --ignore-not-found -k config/default

.PHONY: build-installer
build-installer: $(kubectl-needs) ## Write all manifests into dist/install.yaml, with the image IMG.
	mkdir -p dist
	$(KUBECTL) kustomize config/default | $(set-image) > dist/install.yaml

##@ Tools

.PHONY: tools
tools: $(CONTROLLER_GEN) $(GINKGO) $(GOLANGCI_LINT) $(GOVULNCHECK) ## Build the tools that the other targets use.

# build-tool compiles a tool at the version that the go.mod in the given directory pins.
# Depending on go.mod rebuilds the tool when the pin changes; go build leaves the old
# time on a binary that has not changed, hence touch.
define build-tool
@echo "building $(@F)"
@CGO_ENABLED=0 GOWORK=off go -C $(1) build -mod=readonly -trimpath -ldflags '-s -w' -o $@ $(2)
@touch $@
endef

$(CONTROLLER_GEN): hack/tools/go.mod
	$(call build-tool,hack/tools,sigs.k8s.io/controller-tools/cmd/controller-gen)

$(GINKGO): hack/tools/go.mod
	$(call build-tool,hack/tools,github.com/onsi/ginkgo/v2/ginkgo)

$(GOVULNCHECK): hack/tools/go.mod
	$(call build-tool,hack/tools,golang.org/x/vuln/cmd/govulncheck)

# golangci-lint with the API linter compiled in. It is a module apart, because a linter
# works with the versions of its libraries that it was released with.
$(GOLANGCI_LINT): hack/tools/golangci-lint/go.mod
	$(call build-tool,hack/tools/golangci-lint,sigs.k8s.io/kube-api-linter/cmd/golangci-lint-kube-api-linter)
