#!/bin/sh
# Resolves the hashed locks for every platform at once: packaging/lock.sh UV [--upgrade]
# The files name no index or download host, so that they install from any mirror.
set -eu

uv=$1; shift
cd "$(dirname "$0")/.."
compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --annotation-style line --override requirements/overrides.txt "$@"
}

# The largest set is resolved first; the others are held to the same versions.
compile "$@" pyproject.toml requirements/build.in requirements/dev.in -o requirements/dev.txt
compile "$@" pyproject.toml -c requirements/dev.txt -o requirements/runtime.txt
compile "$@" pyproject.toml requirements/fuzz.in -c requirements/dev.txt -o requirements/fuzz.txt
compile "$@" requirements/build.in -c requirements/dev.txt -o requirements/build.txt
"$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
    --annotation-style line "$@" requirements/cose.in -o requirements/cose.txt
