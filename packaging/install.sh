#!/bin/sh
# Installs chargemesh for this user: no root, a venv from the hashed lock, one link on the PATH.
# SERVICE=1 also starts the node at login (systemd user unit, or launchd agent on macOS).
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/packaging/places.sh"

mkdir -p "$app" "$bin"
"$here/packaging/venv.sh" "$app/venv" "$here/requirements/runtime.txt"
"$app/venv/bin/python" -m pip install --quiet --compile --no-deps --no-build-isolation --force-reinstall "$here"
if [ -e "$bin/chargemesh" ] && [ ! -L "$bin/chargemesh" ]; then
    echo "$bin/chargemesh exists and is not a link of ours; move it away and run make install again." >&2
    exit 1
fi
ln -sf "$app/venv/bin/chargemesh" "$bin/chargemesh"
echo "Installed $("$app/venv/bin/python" -c 'import importlib.metadata as m; print("chargemesh", m.version("chargemesh"))') as $bin/chargemesh"
case ":$PATH:" in
    *":$bin:"*) ;;
    *) echo "$bin is not on your PATH yet; add this line to your shell's profile:"
       echo "    export PATH=\"$bin:\$PATH\"" ;;
esac

if [ "${SERVICE:-}" = 1 ]; then
    "$here/packaging/service.sh" add
else
    echo "To start the node at every login: make install SERVICE=1"
fi
echo "Next: chargemesh init"
