#!/bin/sh
# Browses libp2p's mDNS service with Avahi, on a system bus and in a /run of its own:
#   unshare --mount --pid --fork --kill-child tests/e2e/avahi.sh INTERFACE
# Prints what `avahi-browse --resolve --parsable` prints; everything started here ends with it.
set -eu
mount -t tmpfs none /run
mkdir -p /run/avahi-daemon
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/bus
cat > /run/bus.conf <<'END'
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/><allow receive_sender="*" eavesdrop="true"/>
  </policy>
</busconfig>
END
printf '[server]\nuse-ipv6=no\nallow-interfaces=%s\n[publish]\ndisable-publishing=yes\n' "$1" > /run/avahi.conf
dbus-daemon --config-file=/run/bus.conf --fork --nopidfile
avahi-daemon --no-drop-root --no-chroot --file /run/avahi.conf --daemonize >&2
sleep 1
timeout 10 avahi-browse --resolve --parsable --terminate _p2p._udp
