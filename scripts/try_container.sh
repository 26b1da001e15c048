#!/bin/bash
# Build and run the container of docs/guides/services/operations.md as the page has it, with podman
# in docker's place, and see that it does what the page says. As root, on Debian; minutes.
#
#   scripts/try_container.sh VENV      e.g. scripts/try_container.sh .venv
#
# No image is fetched: the one that the page builds on is made by debootstrap, with that Python.
# Needs: apt-get install debootstrap podman runc catatonit iptables netavark
set -euo pipefail

bin=$(cd "$1/bin" && pwd)
root=$(cd "$(dirname "$0")/.." && pwd)
page=$root/docs/guides/services/operations.md
work=$root/build/container
base=$work/base # kept: made once
project=$work/project
release=trixie # whose Python is the one that the page names
url=http://127.0.0.1:8000
rows='{"rows": [{"sepal_length": 5, "sepal_width": 3, "petal_length": 1, "petal_width": 0.2}]}'
own=(--root "$work/images" --runroot "$work/running" --storage-driver vfs
    --cgroup-manager cgroupfs --runtime runc)
# Whoever may not raise the limits of this machine keeps them.
limits=(--ulimit "nofile=$(ulimit -Hn):$(ulimit -Hn)" --ulimit "nproc=4096:4096")
export ALO_TOKEN=of-a-container PATH="$bin:$PATH"

fail() {
    echo "FAILED: $*" >&2
    podman "${own[@]}" logs solution >&2 || true
    exit 1
}

ok() { echo "ok: $*"; }

# The blocks of code of the page's section, by their language.
block() {
    sed -n "/^### A container/,/^### Probes/{/^\`\`\`$1\$/,/^\`\`\`\$/p}" "$page" | grep -v '^```'
}

# What the page calls docker. The health check is run below: podman has systemd run it.
docker() {
    case $1 in
    build) podman "${own[@]}" build --isolation chroot --layers=false --pull=never --format docker "${@:2}" ;;
    run) podman "${own[@]}" run --detach --name solution --no-healthcheck "${limits[@]}" "${@:2}" ;;
    esac
}

line() { block sh | grep "$1" | sed "s|/path/to/alo|$root|"; }

remove() { podman "${own[@]}" rm --force --all >/dev/null; }

status() { curl --silent --output /dev/null --write-out '%{http_code}' --max-time 20 "$@"; }

infer() { status --header "Authorization: Bearer $1" --json "$rows" "$url/v1/inference"; }

wait_for() { # STATUS PATH
    for _ in $(seq 600); do
        [ "$(status "$url$2")" = "$1" ] && return
        sleep 0.1
    done
    fail "$2 does not answer $1"
}

stop() {
    podman "${own[@]}" stop solution >/dev/null
    code=$(podman "${own[@]}" inspect solution --format '{{.State.ExitCode}}')
    [ "$code" = 0 ] || fail "SIGTERM ended the service with $code"
    ok "SIGTERM ends the service with 0"
}

make_base() { # its name
    [ -e "$base/made" ] || {
        rm -rf "$base"
        debootstrap --variant=minbase --include=python3,python3-pip,ca-certificates "$release" "$base"
        rm "$base"/usr/lib/python3*/EXTERNALLY-MANAGED # as in the image of that name
        ln -s /usr/bin/python3 "$base/usr/local/bin/python"
        cp /etc/ssl/certs/ca-certificates.crt "$base/etc/ssl/certs/" # trusts what this machine does
        printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$base/etc/pip.conf"
        touch "$base/made"
    }
    version=$(chroot "$base" python --version | cut -d' ' -f2)
    case $1 in
    "python:${version%.*}-slim") ;;
    *) fail "$1 is not Python $version of Debian $release" ;;
    esac
    tar -C "$base" -c . | podman "${own[@]}" import --quiet - "docker.io/library/$1" >/dev/null
}

trap remove EXIT
remove
mkdir -p "$work"
podman "${own[@]}" image exists "$(block dockerfile | sed -n 's/^FROM //p')" ||
    make_base "$(block dockerfile | sed -n 's/^FROM //p')"

rm -rf "$project"
"$bin/alo" init "$project" >/dev/null
cd "$project"
"$bin/alo" run --mode train >/dev/null
block dockerfile >Dockerfile
eval "$(line 'pip wheel')"
eval "$(line 'docker build')"
ok "the image is built"

eval "$(line 'docker run' | grep --invert-match volume)"
wait_for 200 /healthz
wait_for 200 /readyz
[ "$(infer "$ALO_TOKEN")" = 200 ] || fail "a request is not answered"
[ "$(infer wrong)" = 401 ] || fail "the token is not asked for"
ok "it is live and ready, answers who has the token, and no one else"
check=$(block dockerfile | sed -n 's/^HEALTHCHECK .*CMD //p')
readarray -t words < <(python -c 'import json, sys; print(*json.loads(sys.argv[1]), sep="\n")' "$check")
podman "${own[@]}" exec solution "${words[@]}" || fail "the health check"
[ "$(podman "${own[@]}" exec solution id -un)" = alo ] || fail "it runs as another user"
ok "its health check passes, and it is not root"
podman "${own[@]}" exec solution sh -c '(sleep 0.2 & exec true) & wait; sleep 0.1'
sleep 1 # what is left behind has ended then
podman "${own[@]}" exec solution sh -c 'grep -l "^State:.Z" /proc/[0-9]*/status' &&
    fail "a process that was left behind is not reaped"
ok "what is left behind is reaped"
stop
remove

chown -R 4321:4321 "$project" # a user whom the image does not know
run=$(line 'docker run' | grep volume | sed 's/$(id -u):$(id -g)/4321:4321/')
eval "$run"
wait_for 200 /readyz
id=$(curl --silent --header "Authorization: Bearer $ALO_TOKEN" --json "$rows" \
    "$url/v1/inference?async=1" | python -c 'import json, sys; print(json.load(sys.stdin)["id"])')
stop
remove
eval "$run"
wait_for 200 /readyz
for _ in $(seq 300); do
    answer=$(curl --silent --header "Authorization: Bearer $ALO_TOKEN" "$url/v1/requests/$id")
    case $answer in *'"success"'*) break ;; esac
    sleep 0.1
done
case $answer in
*'"success"'*) ok "with a mounted project, an accepted request outlives its container" ;;
*) fail "the accepted request is lost: $answer" ;;
esac
ls -d history/inference/2* >/dev/null || fail "history is not in the project"
stop
ok "all that the page says of a container holds"
