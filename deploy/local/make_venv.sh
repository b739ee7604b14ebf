#!/bin/sh
# Makes the virtual environment $1 with the first Python of 3.11 or newer on PATH that really runs (a shim of a version
# manager may stand there and fail).
set -eu
case $PWD in
*[\$\{\}:]*) # setuptools takes the first three for variables of its own, PATH the last for its separator
    echo "The path of this clone holds one of the characters \$ { } :, which Python's tools cannot bear: move it." >&2
    exit 1
    ;;
esac
for python in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        if "$python" -c 'import venv, ensurepip' 2>/dev/null; then
            exec "$python" -m venv --clear "$1"
        fi
        without_venv=$python
    fi
done
if [ -n "${without_venv:-}" ]; then
    echo "$without_venv cannot make virtual environments: install its venv package (Debian, Ubuntu: python3-venv)." >&2
else
    echo "Python 3.11 or newer is needed; none was found on PATH." >&2
fi
exit 1
