# An image installs itself onto a disk, and that disk starts (RHEL image mode, 4.7).
podman run --rm --privileged --pid=host -v /var/lib/containers:/var/lib/containers \
  --security-opt label=type:unconfined_t "$image" bootc install to-disk /dev/vdb
#: machine vdb
grep -F "version 0" /usr/share/web/index.html
bootc status | grep -F "$image"
findmnt -no SOURCE /sysroot | grep -E "^/dev/vda[0-9]"
test "$(ls /sysroot/ostree/deploy/default/deploy | grep -c 'origin$')" = 1
#: back
# What the disk holds now is not erased by mistake.
if podman run --rm --privileged --pid=host -v /var/lib/containers:/var/lib/containers \
  --security-opt label=type:unconfined_t "$image" bootc install to-disk /dev/vdb; then exit 1; fi
