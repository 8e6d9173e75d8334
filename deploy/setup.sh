#!/bin/sh
# Creates the virtual environment given as first argument and installs noctule into it.
set -eu
venv=$1
python=${PYTHON:-python3}

say() { printf '%s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif sudo -n true 2>/dev/null; then sudo "$@"
    else return 1; fi
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    say "noctule needs Python 3.11 or newer; set PYTHON=/path/to/python3"; exit 1; }

# Debian and Ubuntu split venv off; OpenCV links two desktop libraries.
missing=''
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
for library in libGL.so.1:libgl1 libgthread-2.0.so.0:libglib2.0-0; do
    "$python" -c "import ctypes; ctypes.CDLL('${library%%:*}')" 2>/dev/null ||
        missing="$missing ${library##*:}"
done
if [ -n "$missing" ]; then
    say "installing system packages:$missing"
    # shellcheck disable=SC2086
    if ! { as_root apt-get update -qq &&
           as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; }; then
        say "please run: sudo apt-get install$missing"; exit 1
    fi
fi

say "creating the environment in $venv (about 6 GB, some minutes)"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --upgrade pip
"$venv/bin/python" -m pip install --quiet --constraint constraints.txt --editable '.[cpu,test]'
say "environment ready"
