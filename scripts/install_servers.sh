#!/bin/sh
# Install the servers that the tests talk to, where they are missing and this may be done (as root on Debian or Ubuntu).
set -eu

missing=
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
command -v git >/dev/null 2>&1 || missing="$missing git"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 - a list of words
    apt-get install -y -qq $missing >/dev/null
else
    echo "not installed here, so their tests are skipped:$missing" >&2
fi
