#!/bin/sh
# Makes or refreshes a virtual environment from hashed locks, without a compiler.
# usage: packaging/venv.sh DIR LOCK...      (PYTHON=… names the interpreter; otherwise 3.13, 3.12 or 3.11 is looked for)
set -eu

# 0 when $1 is a 64-bit Python that the locks were made for.
fits() {
    "$1" -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info < (3, 14) and sys.maxsize > 2**32))' 2>/dev/null
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        if fits "$PYTHON"; then echo "$PYTHON"; return; fi
        echo "PYTHON=$PYTHON is not a 64-bit Python 3.11, 3.12 or 3.13." >&2; exit 1
    fi
    for candidate in python3 python3.13 python3.12 python3.11; do
        if fits "$candidate"; then echo "$candidate"; return; fi
    done
    found=$(python3 --version 2>/dev/null || echo "no python3")
    echo "chargemesh needs a 64-bit Python 3.11, 3.12 or 3.13; found $found." >&2
    echo "Install one (Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python@3.13)," >&2
    echo "or name it: make PYTHON=/path/to/python3.12 …" >&2
    exit 1
}

require_venv() {
    if "$1" -c 'import ensurepip, venv' 2>/dev/null; then return; fi
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "Python $version is here, but its venv module is not (Debian packs it separately)." >&2
    echo "Install it: sudo apt install python$version-venv     (or python3-venv)" >&2
    exit 1
}

dir=$1; shift
here=$(cd "$(dirname "$0")/.." && pwd)
export PIP_DISABLE_PIP_VERSION_CHECK=1
# Without bytecode each start of the node compiles libp2p anew where the folder can't be written: 2.5 s, not 0.8.
pip() { "$dir/bin/python" -m pip --quiet "$@"; }

if ! fits "$dir/bin/python"; then
    python=$(find_python)
    require_venv "$python"
    echo "Making $dir with $("$python" --version)"
    rm -rf "$dir"
    "$python" -m venv "$dir"
elif ! "$dir/bin/python" -c 'import pip' 2>/dev/null; then
    "$dir/bin/python" -m ensurepip >/dev/null
fi

# Build tools come first and from a lock too, so that nothing is fetched for an isolated build.
echo "Installing from $*"
pip install --compile --no-deps --require-hashes -r "$here/requirements/build.txt"
for lock in "$@"; do
    pip install --compile --no-deps --no-build-isolation --require-hashes -r "$lock"
done
# What was there before, put in by a tool that compiles nothing, gets its bytecode too.
"$dir/bin/python" - <<'END'
import compileall, sysconfig

compileall.compile_dir(sysconfig.get_path("purelib"), quiet=2)  # templates that are no Python stay
END
