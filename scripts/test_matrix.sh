#!/bin/sh
# Run the tests with every Python from 3.10 on that is found here, each in a virtual environment of its own.
#
#   scripts/test_matrix.sh [arguments for pytest]     what uv and pyenv have, and what is on the PATH
#   PYTHONS="3.10 3.13" scripts/test_matrix.sh        only these
#
# Goes through all of them, and ends with a line for each; fails where one has failed.
set -u

pythons() {
    if command -v uv >/dev/null 2>&1; then
        uv python list --only-installed 2>/dev/null | awk '$2 ~ "^/" { print $2 }'
    fi
    ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python 2>/dev/null
    for version in 3.10 3.11 3.12 3.13 3.14; do
        command -v "python$version"
    done
}

# "3.12 /path/of/it", one line for each version: the first that can make virtual environments.
found() {
    pythons | while read -r python; do
        "$python" -c 'import ensurepip, sys, venv
if (3, 10) <= sys.version_info and sys.implementation.name == "cpython":
    print("%d.%d" % sys.version_info[:2], sys.executable)' 2>/dev/null
    done | sort -t. -k2 -n -s | awk '!seen[$1]++'
}

status=0
summary=$(mktemp)
trap 'rm -f "$summary"' EXIT
for version in ${PYTHONS:-$(found | cut -d" " -f1)}; do
    python=$(found | awk -v wanted="$version" '$1 == wanted { print $2 }')
    echo "== Python $version: ${python:-not found}"
    if [ -n "$python" ] && PYTHON=$python scripts/setup_venv.sh "build/venv-$version" dev,examples &&
        "build/venv-$version/bin/python" -m pytest -n "${PYTEST_WORKERS:-auto}" --dist loadgroup "$@"; then
        echo "Python $version: passed" >>"$summary"
    else
        echo "Python $version: failed" >>"$summary"
        status=1
    fi
done
echo
cat "$summary"
[ -s "$summary" ] || { echo "no Python from 3.10 on was found" >&2; status=1; }
exit $status
