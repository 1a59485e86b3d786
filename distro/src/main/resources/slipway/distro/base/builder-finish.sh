#!/bin/sh
# builder-finish.sh ROOT: takes out of a Debian tree that mmdebstrap made what belongs to the machine
# that it was made on, and what no container of it needs.
set -eu
root=$1
[ -n "$root" ] && [ "$root" != / ]
rm -f "$root/etc/hostname" "$root/etc/resolv.conf" "$root/etc/.pwd.lock" "$root/etc/apt/preferences.d/slipway" \
  "$root/etc/apt/apt.conf.d/99mmdebstrap" "$root"/etc/passwd- "$root"/etc/group- "$root"/etc/shadow- "$root"/etc/gshadow- \
  "$root"/etc/subuid- "$root"/etc/subgid- "$root"/var/lib/dpkg/*-old "$root"/var/lib/dpkg/lock* \
  "$root/var/lib/dpkg/available" "$root/var/lib/dpkg/triggers/Lock"
: > "$root/etc/machine-id"
rm -rf "$root"/var/cache/* "$root"/var/log/* "$root"/var/lib/apt/lists/* "$root"/var/tmp/* "$root"/tmp/* "$root"/run/* "$root"/boot/*
# skopeo's package wants what runs containers, with which nothing is done here.
rm -rf "$root/usr/lib/cni"
# Where the podman lines of bootc-image-builder mount something, or start.
mkdir -p "$root/output" "$root/store" "$root/rpmmd"
