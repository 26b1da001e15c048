#!/bin/sh
# Make the virtual environment, or bring it up to date; does nothing when it already is.
#
#   scripts/setup_venv.sh VENV EXTRAS     e.g. scripts/setup_venv.sh .venv dev,examples
#
# PYTHON names the Python to build it with; empty: the one it has, or the first found that is new enough.
# pip's own settings (pip.conf, PIP_INDEX_URL, PIP_FIND_LINKS, ...) hold as they do anywhere.
set -eu

venv=$1
extras=$2
here=$(pwd -P)
wanted=$(cksum <pyproject.toml)

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null
}

version_of() {
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null ||
        echo "not there, or does not start"
}

# One stamp for each extra, so that `make demo` after `make test` has nothing to do.
stamps() {
    echo "$extras" | tr , '\n' | sed "s|^|$venv/.installed-|"
}

# A virtual environment does not survive a move of its project.
is_made_here() {
    [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.made-in" 2>/dev/null)" = "$here" ] || return 1
    [ -z "${PYTHON:-}" ] || [ "$(cat "$venv/.made-with")" = "$PYTHON" ]
}

is_up_to_date() {
    is_made_here || return 1
    for stamp in $(stamps); do
        [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] || return 1
    done
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.10 python}; do
        if is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "ALO needs Python 3.10 or newer; ${PYTHON:-python3} is: $(version_of "${PYTHON:-python3}")" \
        "  fix: install a newer one, or name it: make ... PYTHON=/path/to/python3.11"
}

make_venv() {
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || fail \
        "$python ($(version_of "$python")) cannot make virtual environments: it lacks the module ensurepip" \
        "  fix: install it (Debian, Ubuntu: apt install python3-venv), or name another Python: make ... PYTHON=/path/to/python3.11"
    echo "making $venv with $python $(version_of "$python")"
    "$python" -m venv --clear "$venv"
    echo "${PYTHON:-$python}" >"$venv/.made-with"
    echo "$here" >"$venv/.made-in"
}

install() {
    echo "installing the project and its extras $extras into $venv"
    # A user's own default of --user cannot hold inside a virtual environment.
    PIP_USER=0
    export PIP_USER
    # Older ones cannot install a pyproject.toml project editable; asks no index when it is new enough.
    "$venv/bin/python" -m pip install --quiet "pip>=21.3"
    "$venv/bin/python" -m pip install --quiet --editable ".[$extras]" || fail \
        "pip could not install what the project needs; its own message is above" \
        "  fix: check the network, or pip's settings (pip config list) when packages come from elsewhere"
    for stamp in $(stamps); do
        echo "$wanted" >"$stamp"
    done
}

is_up_to_date && exit 0
{ is_made_here && is_new_enough "$venv/bin/python"; } || make_venv
install
