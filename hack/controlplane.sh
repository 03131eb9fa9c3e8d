#!/usr/bin/env bash
# Provides etcd, kube-apiserver and kubectl, the binaries that envtest and the
# playground start, and makes bin/k8s/current point at them. The first of these wins:
#
#   1. $KUBEBUILDER_ASSETS, when it names a directory that holds all three
#   2. what an earlier call has left in bin/k8s
#   3. a download by setup-envtest
#   4. a build from the Go modules pinned in hack/controlplane/go.mod
#
# It needs bash, coreutils, awk and Go. Interrupting it leaves nothing behind, and
# concurrent calls are safe: each works in a directory of its own and moves it into
# place once it is complete.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
store=$root/bin/k8s
binaries=(etcd kube-apiserver kubectl)

work='' # where this call builds; beside the store, so that moving is atomic
job=''  # process group of the child that is running

say() { printf 'controlplane: %s\n' "$*"; }

# pinned prints the version of a module in hack/controlplane/go.mod. Asking Go for it
# would need the module cache, which a finished build does not.
pinned() { awk -v module="$1" '$1 == module && $2 ~ /^v/ { print $2; exit }' "$root/hack/controlplane/go.mod"; }

# complete tells whether a directory holds every binary.
complete() {
	local binary
	for binary in "${binaries[@]}"; do
		[[ -x $1/$binary ]] || return 1
	done
}

# use points bin/k8s/current at a directory, without a moment in which there is no link.
use() {
	local link
	mkdir -p "$store"
	link=$(mktemp -u "$store/.current.XXXXXX")
	ln -s "$1" "$link"
	mv -T "$link" "$store/current"
	say "using $1"
}

# run runs a command in a process group of its own and waits for it, so that cleanup
# can end the command with all its children, whichever of us the signal was sent to.
run() {
	set -m
	"$@" &
	job=$!
	set +m
	local status=0
	wait "$job" || status=$?
	job=''
	return "$status"
}

cleanup() {
	if [[ -n $job ]]; then
		kill -TERM -- "-$job" 2>/dev/null || true
		wait "$job" 2>/dev/null || true
	fi
	[[ -z $work ]] || rm -rf "$work"
}

# install moves a finished directory into the store under the given name. Losing the
# race against another call is fine: it has installed the same.
install() {
	local from=$1 to=$store/$2
	printf '%s\n' "$pins" >"$from/.complete"
	mkdir -p "$store"
	[[ ! -e $to ]] || mv -T "$to" "$work/replaced"
	mv -T "$from" "$to" 2>/dev/null || complete "$to"
	use "$to"
}

# download lets setup-envtest fetch the newest patch release of our Kubernetes minor
# version. Most machines that fail here have no way out to the internet at all.
download() {
	local minor=${kubernetes%.*} assets
	say 'trying setup-envtest'
	(cd "$root/hack/tools" &&
		go build -mod=readonly -o "$work/setup-envtest" sigs.k8s.io/controller-runtime/tools/setup-envtest) || return 1
	run timeout --foreground 120 "$work/setup-envtest" use "${minor#v}.x" \
		--bin-dir "$work" --print path >"$work/assets" 2>"$work/setup-envtest.log" || return 1
	assets=$(<"$work/assets")
	complete "$assets" || return 1
	install "$assets" "$(basename "$assets")"
}

# go_build compiles one main package, by the rules of this module alone: whatever the
# environment's GOFLAGS or go.work say about modules does not apply here.
go_build() {
	go build -v -mod=readonly -buildvcs=false -trimpath -ldflags "$ldflags" -o "$@"
}

# progress reads the output of go build -v, turns the names of packages into a line
# every so often and passes on the rest.
progress() {
	local line compiled=0
	while IFS= read -r line; do
		case $line in
		'go: downloading '*) ;;
		*' '*) printf '%s\n' "$line" ;;
		*)
			compiled=$((compiled + 1))
			((compiled % 200)) || say "  $compiled of at most $1 packages, $((SECONDS / 60))m$((SECONDS % 60))s"
			;;
		esac
	done
}

compile() {
	local total=$1
	{
		go_build "$work/out/etcd" go.etcd.io/etcd/server/v3
		go_build "$work/out/kubectl" k8s.io/kubernetes/cmd/kubectl
		go_build "$work/out/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver
	} 2>&1 | progress "$total"
}

# version_flags prints what makes Kubernetes report its release instead of
# v0.0.0-master. Its commit is not part of a module, and the date is the release's, so
# that the same pins give the same bytes.
version_flags() {
	local package number=${kubernetes#v} built
	built=$(go list -mod=readonly -m -f '{{.Time.UTC.Format "2006-01-02T15:04:05Z"}}' k8s.io/kubernetes)
	for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
		printf -- '-X %s ' \
			"$package.gitVersion=$kubernetes" \
			"$package.gitMajor=${number%%.*}" \
			"$package.gitMinor=$(cut -d. -f2 <<<"$number")" \
			"$package.gitCommit=" \
			"$package.gitTreeState=archive" \
			"$package.buildDate=$built"
	done
}

build() {
	local total name
	cd "$root/hack/controlplane"
	export CGO_ENABLED=0 GOWORK=off

	say "building Kubernetes $kubernetes and etcd $etcd from source, once; this takes 5 to 10 minutes on two cores"
	say 'fetching modules (about 1 minute)'
	run go list -mod=readonly -deps tool >"$work/packages" 2>"$work/fetch.log" || {
		cat "$work/fetch.log" >&2
		return 1
	}
	total=$(wc -l <"$work/packages")
	ldflags="-s -w $(version_flags)"
	name=${kubernetes#v}-$(go env GOOS)-$(go env GOARCH)

	say "compiling and linking (5 to 8 minutes)"
	run compile "$total"
	install "$work/out" "$name"
}

main() {
	local dir
	if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
		if complete "$KUBEBUILDER_ASSETS"; then
			use "$(cd "$KUBEBUILDER_ASSETS" && pwd -P)" # it may be bin/k8s/current itself
			return
		fi
		say "KUBEBUILDER_ASSETS lacks one of: ${binaries[*]}; ignoring it"
	fi

	kubernetes=$(pinned k8s.io/kubernetes)
	etcd=$(pinned go.etcd.io/etcd/server/v3)
	pins="kubernetes $kubernetes, etcd $etcd"
	for dir in "$store"/[0-9]*; do
		if [[ -e $dir/.complete && $(<"$dir/.complete") == "$pins" ]] && complete "$dir"; then
			use "$dir"
			return
		fi
	done

	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	mkdir -p "$root/bin"
	work=$(mktemp -d "$root/bin/.controlplane.XXXXXX")
	mkdir "$work/out"
	if ! download; then
		say 'setup-envtest cannot download here, so the binaries are compiled'
		build
	fi
}

main
