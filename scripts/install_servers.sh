#!/bin/sh
# Install what the tests talk to, servers and a browser, where it is missing and this may be done (as root on Debian or Ubuntu).
set -eu

missing=
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
command -v git >/dev/null 2>&1 || missing="$missing git"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    for name in $missing; do # one by one: Ubuntu has no chromium as a package
        apt-get install -y -qq "$name" >/dev/null || echo "$name could not be installed, so its tests are skipped" >&2
    done
else
    echo "not installed here, so their tests are skipped:$missing" >&2
fi
