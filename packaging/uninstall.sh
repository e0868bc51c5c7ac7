#!/bin/sh
# Removes what install.sh put in place, and keeps the nodes' data (keys, bookings), saying where it is.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/packaging/places.sh"

# The nodes that run this program, one "PID COMMAND" a line; a node may be on any home.
running() {
    if [ -d /proc/self ]; then
        for one in /proc/[0-9]*; do
            { line=$(tr '\0' ' ' <"$one/cmdline"); } 2>/dev/null || continue  # it may have ended by now
            printf '%s %s\n' "${one#/proc/}" "$line"
        done
    else
        ps -axo pid=,args=
    fi | grep -F -- "$app/venv/bin/" | grep -E -- ' run( |$)' || true  # none runs
}

"$here/packaging/service.sh" remove
if [ -x "$app/venv/bin/chargemesh" ]; then
    "$app/venv/bin/chargemesh" stop >/dev/null 2>&1 || true  # no node was running
fi
left=$(running)
if [ -L "$bin/chargemesh" ] && [ "$(readlink "$bin/chargemesh")" = "$app/venv/bin/chargemesh" ]; then
    rm "$bin/chargemesh"
fi
rm -rf "$app/venv"
rmdir "$app" 2>/dev/null || true  # somebody else's files keep the folder

data=${CHARGEMESH_HOME:-$default_home}
if [ -d "$data/keys" ]; then
    echo "Removed the program. Kept: your keys and bookings in $data, and any other home that --home named."
else
    echo "Removed the program. No home was touched; there is none in $data."
    echo "Homes are wherever --home or CHARGEMESH_HOME pointed; each holds keys and bookings."
fi
if [ -n "$left" ]; then
    echo "Still running, now without its program's files:" >&2
    printf '%s\n' "$left" | sed 's/^ */  process /' >&2
    echo "End each with \`kill PID\` (it closes its home in order)." >&2
fi
