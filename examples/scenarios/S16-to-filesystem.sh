# File systems made by hand, and an image installed to them (RHEL image mode, 4.8).
printf 'label: gpt\nsize=1MiB, type=21686148-6449-6E6F-744E-656564454649\ntype=linux\n' | sfdisk --quiet /dev/vdc
FS=ext4
mkfs.$FS -q /dev/vdc2
mount /dev/vdc2 /mnt
uuid=$(findmnt -no UUID /mnt)
self=containers-storage:$image
podman run --rm --privileged --pid=host -v /dev:/dev -v /mnt:/mnt -v /var/lib/containers:/var/lib/containers \
  --security-opt label=type:unconfined_t "$image" \
  bootc install to-filesystem --karg=root=UUID=$uuid --imgref "$self" /mnt
umount /mnt
#: machine vdc
grep -F "version 0" /usr/share/web/index.html
test "$(grep -o 'root=UUID=[^ ]*' /proc/cmdline | sort -u)" = "root=UUID=$(findmnt -no UUID /sysroot)"
bootc status | grep -F "$image"
#: back
