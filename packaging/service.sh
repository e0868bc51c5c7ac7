#!/bin/sh
# Adds or removes the service that runs the node at login: packaging/service.sh add|remove
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/packaging/places.sh"

# Writes template $1 to $2 with the program's path in it.
fill() {
    mkdir -p "$(dirname "$2")"
    sed -e "s|@PROGRAM@|$app/venv/bin/chargemesh|g" -e "s|@HOME@|$HOME|g" "$1" > "$2"
}

add() {
    if [ "$(uname -s)" = Darwin ]; then
        fill "$here/packaging/org.chargemesh.node.plist.in" "$agent"
        launchctl bootout "gui/$(id -u)" "$agent" 2>/dev/null || true  # it was not loaded
        launchctl bootstrap "gui/$(id -u)" "$agent"
        echo "The node starts at login (launchd agent org.chargemesh.node)."
        return
    fi
    if ! command -v systemctl >/dev/null; then
        echo "No systemd here: start the node yourself with: chargemesh run" >&2
        return
    fi
    fill "$here/packaging/chargemesh.service.in" "$unit"
    if systemctl --user daemon-reload && systemctl --user enable --now chargemesh.service; then
        echo "The node starts at login. So that it also runs while you are logged out: loginctl enable-linger"
    else
        echo "Wrote $unit, but no systemd user session answered; enable it later with:" >&2
        echo "    systemctl --user enable --now chargemesh.service" >&2
    fi
}

remove() {
    if [ -e "$agent" ]; then
        launchctl bootout "gui/$(id -u)" "$agent" 2>/dev/null || true  # it was not loaded
        rm "$agent"
    fi
    if [ -e "$unit" ]; then
        systemctl --user disable --now chargemesh.service 2>/dev/null || true  # no user session answers
        rm "$unit"
    fi
}

case "${1:-}" in
    add) add ;;
    remove) remove ;;
    *) echo "usage: packaging/service.sh add|remove" >&2; exit 2 ;;
esac
