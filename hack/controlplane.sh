#!/usr/bin/env bash
# Usage: hack/controlplane.sh [plane | kube-controller-manager]
#
# plane, the default, provides etcd, kube-apiserver and kubectl, the binaries that envtest
# and the playground start. bin/k8s/current is a link to their directory. The first of
# these wins:
#
#   1. $KUBEBUILDER_ASSETS, when it names a directory that holds all three
#   2. what an earlier call has left in bin/k8s
#   3. a download by setup-envtest
#   4. a build from the Go modules pinned in hack/controlplane/go.mod
#
# A build takes the kubectl of the PATH when its version is within the skew policy, and
# compiles one when it is not.
#
# kube-controller-manager provides bin/k8s/kube-controller-manager, whose namespace
# controller the end-to-end tests need. setup-envtest does not have it, so it is the one in
# $KUBEBUILDER_ASSETS, else an earlier build, else a build from the same pins. It stands
# beside bin/k8s/current, which may be a directory that is not ours to write to.
#
# The script needs bash, coreutils, awk and Go. Interrupting it leaves nothing behind.
# Concurrent calls are safe: each works in a directory of its own and moves it into place
# once it is complete. Links within bin/k8s are relative, so a copy of bin/ works.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$root/bin/k8s"
store=$(cd "$root/bin/k8s" && pwd -P)
modules=$root/hack/controlplane # its go.mod pins all versions
servers=(etcd kube-apiserver)

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

# has tells whether a directory holds all of the named binaries.
has() {
	local dir=$1 binary
	shift
	for binary; do
		[[ -x $dir/$binary ]] || return 1
	done
}

# finished tells whether a directory holds the servers that the pins ask for.
finished() {
	[[ -e $1/.complete && $(<"$1/.complete") == "$pins" ]] && has "$1" "${servers[@]}"
}

# link makes the link $2 point at $1, without a moment in which there is no link.
link() {
	local new
	new=$(mktemp -u "$2.XXXXXX")
	ln -s "$1" "$new"
	mv -T "$new" "$2"
}

# use makes the link bin/k8s/$2 point at $1.
use() {
	link "${1#"$store/"}" "$store/$2"
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

# install moves a finished directory into the store under the given name, and sets plane
# to it. Losing the race against another call is fine: it has installed the same.
install() {
	local from=$1
	plane=$store/$2
	finished "$plane" && return
	printf '%s\n' "$pins" >"$from/.complete"
	[[ ! -e $plane ]] || mv -T "$plane" "$work/replaced"
	mv -T "$from" "$plane" 2>/dev/null || finished "$plane"
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
	has "$assets" "${servers[@]}" || return 1
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

# find_servers sets plane to what an earlier call has left in the store.
find_servers() {
	for plane in "$store"/[0-9]*; do
		finished "$plane" && return
	done
	return 1
}

# build_servers compiles etcd and kube-apiserver and sets plane to where they are.
build_servers() {
	say 'setup-envtest cannot download here, so the binaries are compiled'
	say "building Kubernetes $kubernetes and etcd $etcd from source, once; this takes 5 to 10 minutes on two cores"
	build "${servers[@]}"
	install "$work/out" "${kubernetes#v}-$(go env GOOS)-$(go env GOARCH)"
	mkdir -p "$work/out"
}

# fits tells whether a kubectl may talk to our kube-apiserver. The version skew policy of
# Kubernetes allows one minor version of difference.
fits() {
	local version difference
	version=$("$1" version --client 2>/dev/null) || return 1
	[[ $version =~ 'Client Version: v'([0-9]+)\.([0-9]+)\. ]] || return 1
	[[ $kubernetes == "v${BASH_REMATCH[1]}."* ]] || return 1
	difference=$((BASH_REMATCH[2] - $(cut -d. -f2 <<<"$kubernetes")))
	((difference >= -1 && difference <= 1))
}

# provide_kubectl puts kubectl into the directory plane. A kubectl of ours is never linked
# to: it would go when the store is removed, and may be this very link.
provide_kubectl() {
	local path
	if [[ -x $plane/kubectl ]] && { [[ ! -L $plane/kubectl ]] || fits "$plane/kubectl"; }; then
		return
	fi
	if path=$(command -v kubectl) && [[ $(realpath "$path") != "$store/"* ]] && fits "$path"; then
		link "$(realpath -s "$path")" "$plane/kubectl"
		say "the kubectl of the PATH serves: $path"
		return
	fi
	start_work
	say "building kubectl $kubernetes from source, once"
	build kubectl
	mv -T "$work/out/kubectl" "$plane/kubectl"
}

# provide_plane is about etcd, kube-apiserver and kubectl.
provide_plane() {
	if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
		if has "$KUBEBUILDER_ASSETS" "${servers[@]}" kubectl; then
			use "$(cd "$KUBEBUILDER_ASSETS" && pwd -P)" current # it may be bin/k8s/current itself
			return
		fi
		say "KUBEBUILDER_ASSETS lacks one of: ${servers[*]} kubectl; ignoring it"
	fi
	if ! find_servers; then
		start_work
		download || build_servers
	fi
	provide_kubectl
	use "$plane" current
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
		mv -T "$work/out/$name" "$built"
	fi
	use "$built" $name
}

main() {
	kubernetes=$(pinned k8s.io/kubernetes)
	etcd=$(pinned go.etcd.io/etcd/server/v3)
	pins="kubernetes $kubernetes, etcd $etcd"
	case ${1:-plane} in
	plane) provide_plane ;;
	kube-controller-manager) provide_controller_manager ;;
	*)
		say "cannot provide $1: name plane or kube-controller-manager" >&2
		exit 2
		;;
	esac
}

main "$@"
