#!/bin/sh
# Removes what install.sh put in place, and keeps the node's data (keys, bookings), saying where it is.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/packaging/places.sh"

data=
if [ -x "$app/venv/bin/chargemesh" ]; then
    data=$("$app/venv/bin/chargemesh" config path 2>/dev/null) || data=
fi
"$here/packaging/service.sh" remove
if [ -x "$app/venv/bin/chargemesh" ]; then
    "$app/venv/bin/chargemesh" stop >/dev/null 2>&1 || true  # no node was running
fi
if [ -L "$bin/chargemesh" ] && [ "$(readlink "$bin/chargemesh")" = "$app/venv/bin/chargemesh" ]; then
    rm "$bin/chargemesh"
fi
rm -rf "$app/venv"
rmdir "$app" 2>/dev/null || true  # somebody else's files keep the folder
echo "Removed the program. Kept: your keys and bookings${data:+ in $data}."
[ -n "$data" ] || echo "They are in $default_home, or wherever CHARGEMESH_HOME or --home pointed."
