#!/bin/sh
# Print a Python that Byline runs on (3.11 or 3.12), or say in one line what is missing.
#   requirements/find-python.sh [CANDIDATE]
# Each candidate is started, not just looked up: version managers leave names on PATH
# that answer with an error.
set -u
fits='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))'

for candidate in ${1:-python3.12 python3.11 python3 python}; do
    if "$candidate" -I -c "$fits" >/dev/null 2>&1; then
        command -v "$candidate"
        exit 0
    fi
done
if [ -n "${1:-}" ]; then
    echo "PYTHON=$1 is not a Python 3.11 or 3.12 with venv: name another one" >&2
else
    echo "Byline needs Python 3.11 or 3.12 with venv (on Debian: python3-venv):" \
        "install one, or name one with make PYTHON=/path/to/python3.12" >&2
fi
exit 1
