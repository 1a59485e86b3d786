#!/bin/sh
# finish.sh ROOT folders|links: turns a Debian tree that mmdebstrap made into the tree of a bootable
# image, whose /opt and /usr/local are its own folders or links into /var. Runs in a mount name space
# of its own, so that its mounts go when it ends, however it ends.
set -eu
root=$1
opt=$2
[ -n "$root" ] && [ "$root" != / ]

in_root() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 chroot "$root" "$@"
}

# --- nothing of the machine that built it, nothing that differs between two builds
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/hostname" "$root/etc/fstab" "$root/etc/.pwd.lock" \
  "$root"/etc/passwd- "$root"/etc/group- "$root"/etc/shadow- "$root"/etc/gshadow- \
  "$root"/etc/subuid- "$root"/etc/subgid- "$root"/etc/.resolv.conf.* \
  "$root/etc/apt/preferences.d/slipway" "$root/etc/apt/apt.conf.d/99mmdebstrap"
echo uninitialized > "$root/etc/machine-id"
ln -sfn ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
rm -f "$root/etc/kernel/postinst.d/dracut" "$root/etc/kernel/postrm.d/dracut"
if [ -e "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap" ]; then
  mv "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$root/etc/dpkg/dpkg.cfg.d/50-image"
fi
chmod 0755 "$root"/usr/share/kernel/*.d/zz-image

# --- the package manager's state moves into /usr
sysimage=$root/usr/lib/sysimage
mkdir -p "$sysimage/apt"
for state in lib/dpkg lib/pam lib/ucf cache/debconf; do
  mkdir -p "$root/var/$state"
  mv "$root/var/$state" "$sysimage/${state#*/}"
done
rm -f "$sysimage"/*/*-old "$sysimage"/*/lock* "$sysimage/dpkg/available" "$sysimage"/dpkg/triggers/Lock
if [ -e "$root/var/lib/apt/extended_states" ]; then
  mv "$root/var/lib/apt/extended_states" "$sysimage/apt/extended_states"
fi

# --- the layout: what changes lives in /var, the rest is the image
rm -rf "$root/var" "$root/run" "$root/tmp" "$root/root" "$root/home" "$root/srv" "$root/mnt" \
  "$root/opt" "$root/media" "$root/dev"
rm -f "$root"/initrd.img* "$root"/vmlinuz*
mkdir -m 0755 "$root/var" "$root/run" "$root/sysroot" "$root/dev"
mkdir -m 1777 "$root/tmp"
ln -s sysroot/ostree "$root/ostree"
ln -s var/home "$root/home"
ln -s var/roothome "$root/root"
ln -s var/srv "$root/srv"
ln -s var/mnt "$root/mnt"
if [ "$opt" = links ]; then
  ln -s var/opt "$root/opt"
  rm -rf "$root/usr/local"
  ln -s ../var/usrlocal "$root/usr/local"
else
  mkdir -m 0755 "$root/opt"
fi
ln -s run/media "$root/media"
# where bootc keeps the images of applications that are bound to a version
mkdir -p "$root/usr/lib/bootc/bound-images.d"
ln -s ../../../sysroot/ostree/bootc/storage "$root/usr/lib/bootc/storage"

# --- mounts for what runs inside
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
in_root systemd-tmpfiles --create base-layout.conf
[ "$opt" = folders ] || in_root systemd-tmpfiles --create base-opt.conf
mount -t tmpfs tmpfs "$root/tmp"

# --- units: as the presets say, so that a first boot changes nothing
rm -rf "$root"/etc/systemd/system/*.wants "$root"/etc/systemd/system/*.requires
find "$root/etc/systemd/system" -maxdepth 1 -type l -delete
in_root systemctl --no-reload preset-all
in_root systemctl --no-reload --global preset-all
# The cache is the image's; written on the machine it would count as edited and hide the next one.
ln -sfn /dev/null "$root/etc/systemd/system/ldconfig.service"
# /home and /srv are links here, which these lines complain about at each boot.
mkdir -p "$root/etc/tmpfiles.d"
ln -sfn /dev/null "$root/etc/tmpfiles.d/home.conf"

# --- kernel and initramfs
for modules in "$root"/usr/lib/modules/*/; do
  version=$(basename "$modules")
  in_root /usr/share/kernel/postinst.d/zz-image "$version"
done
rm -rf "$root"/boot/* "$root/var/lib/dracut" "$root"/var/cache/ldconfig "$root"/var/tmp/*
