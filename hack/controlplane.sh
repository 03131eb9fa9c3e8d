#!/usr/bin/env bash
# Provides etcd, kube-apiserver and kubectl, the binaries that envtest and the
# playground start, and makes bin/k8s/current point at them. The first of these wins:
#
#   1. $KUBEBUILDER_ASSETS, when it names a directory that holds all three
#   2. what an earlier call has left in bin/k8s
#   3. a download by setup-envtest
#   4. a build from the Go modules pinned in hack/controlplane/go.mod
#
# Provides kube-controller-manager too, whose namespace controller the end-to-end tests
# need, as bin/k8s/kube-controller-manager. setup-envtest does not have it, so it is the one in
# $KUBEBUILDER_ASSETS, else an earlier build, else a build from the same pins. It stands
# beside bin/k8s/current, which may be a directory that is not ours to write to.
#
# It needs bash, coreutils, awk and Go. Interrupting it leaves nothing behind, and
# concurrent calls are safe: each works in a directory of its own and moves it into
# place once it is complete. Links within bin/k8s are relative, so a copy of bin/ works.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$root/bin/k8s"
store=$(cd "$root/bin/k8s" && pwd -P)
modules=$root/hack/controlplane # its go.mod pins all versions
binaries=(etcd kube-apiserver kubectl)

work='' # where this call builds; beside the store, so that moving is atomic
job=''  # process group of the child that is running

say() { printf 'controlplane: %s\n' "$*"; }

# pinned prints the version of a module in hack/controlplane/go.mod. Asking Go for it
# would need the module cache, which a finished build does not.
pinned() { awk -v module="$1" '$1 == module && $2 ~ /^v/ { print $2; exit }' "$modules/go.mod"; }

# main_package prints what a binary is built from.
main_package() {
	case $1 in
	etcd) echo go.etcd.io/etcd/server/v3 ;;
	*) echo "k8s.io/kubernetes/cmd/$1" ;;
	esac
}

# complete tells whether a directory holds every binary.
complete() {
	local binary
	for binary in "${binaries[@]}"; do
		[[ -x $1/$binary ]] || return 1
	done
}

# use points the link bin/k8s/$2 at $1, without a moment in which there is no link.
use() {
	local link
	link=$(mktemp -u "$store/.$2.XXXXXX")
	ln -s "${1#"$store/"}" "$link"
	mv -T "$link" "$store/$2"
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

# start_work makes the directory to build in, and has it removed at the end.
start_work() {
	[[ -z $work ]] || return 0
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	work=$(mktemp -d "${store%/*}/.controlplane.XXXXXX")
	mkdir "$work/out"
}

# install moves a finished directory into the store under the given name. Losing the
# race against another call is fine: it has installed the same.
install() {
	local from=$1 to=$store/$2
	printf '%s\n' "$pins" >"$from/.complete"
	mkdir -p "$store"
	[[ ! -e $to ]] || mv -T "$to" "$work/replaced"
	mv -T "$from" "$to" 2>/dev/null || complete "$to"
	use "$to" current
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
	go -C "$modules" build -v -mod=readonly -buildvcs=false -trimpath -ldflags "$ldflags" -o "$@"
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
	local total=$1 binary
	shift
	for binary; do
		go_build "$work/out/$binary" "$(main_package "$binary")" || exit
	done 2>&1 | progress "$total"
}

# version_flags prints what makes Kubernetes report its release instead of
# v0.0.0-master. Its commit is not part of a module, and the date is the release's, so
# that the same pins give the same bytes.
version_flags() {
	local package number=${kubernetes#v} built
	built=$(go -C "$modules" list -mod=readonly -m -f '{{.Time.UTC.Format "2006-01-02T15:04:05Z"}}' k8s.io/kubernetes)
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

# build compiles the given binaries into $work/out.
build() {
	local binary packages=()
	for binary; do
		packages+=("$(main_package "$binary")")
	done
	export CGO_ENABLED=0 GOWORK=off

	say 'fetching modules (about 1 minute, once)'
	run go -C "$modules" list -mod=readonly -deps "${packages[@]}" >"$work/packages" 2>"$work/fetch.log" || {
		cat "$work/fetch.log" >&2
		return 1
	}
	ldflags="-s -w $(version_flags)"
	say 'compiling and linking'
	run compile "$(wc -l <"$work/packages")" "$@"
}

# provide_plane is about etcd, kube-apiserver and kubectl.
provide_plane() {
	local dir
	if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
		if complete "$KUBEBUILDER_ASSETS"; then
			use "$(cd "$KUBEBUILDER_ASSETS" && pwd -P)" current # it may be bin/k8s/current itself
			return
		fi
		say "KUBEBUILDER_ASSETS lacks one of: ${binaries[*]}; ignoring it"
	fi
	for dir in "$store"/[0-9]*; do
		if [[ -e $dir/.complete && $(<"$dir/.complete") == "$pins" ]] && complete "$dir"; then
			use "$dir" current
			return
		fi
	done
	start_work
	download && return
	say 'setup-envtest cannot download here, so the binaries are compiled'
	say "building Kubernetes $kubernetes and etcd $etcd from source, once; this takes 5 to 10 minutes on two cores"
	build "${binaries[@]}"
	install "$work/out" "${kubernetes#v}-$(go env GOOS)-$(go env GOARCH)"
	mkdir "$work/out"
}

# provide_controller_manager is about kube-controller-manager.
provide_controller_manager() {
	local name=kube-controller-manager built
	if [[ -n ${KUBEBUILDER_ASSETS:-} && -x $KUBEBUILDER_ASSETS/$name ]]; then
		use "$(cd "$KUBEBUILDER_ASSETS" && pwd -P)/$name" $name
		return
	fi
	built=$store/$name-${kubernetes#v}
	if [[ ! -x $built ]]; then
		start_work
		say "building $name $kubernetes from source, once; this takes 2 to 3 minutes on two cores"
		build $name
		mkdir -p "$store"
		mv -T "$work/out/$name" "$built"
	fi
	use "$built" $name
}

main() {
	kubernetes=$(pinned k8s.io/kubernetes)
	etcd=$(pinned go.etcd.io/etcd/server/v3)
	pins="kubernetes $kubernetes, etcd $etcd"
	provide_plane
	provide_controller_manager
}

main
