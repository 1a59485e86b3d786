# A machine of packages becomes one of an image; its files stay below /sysroot (RHEL image mode, 4.8.1).
test "$(cat /home/joe/note)" = "written before"
test -e /boot/vmlinuz-"$(uname -r)"
podman run --rm --privileged -v /dev:/dev -v /var/lib/containers:/var/lib/containers -v /:/target \
  --pid=host --security-opt label=type:unconfined_t \
  "$image" \
  bootc install to-existing-root --root-ssh-authorized-keys /target/root/.ssh/authorized_keys
test ! -e /boot/vmlinuz-"$(uname -r)"
#: reboot
# The key that was given lets in whoever types this.
bootc status | grep -F "$image"
grep -F "version 0" /usr/share/web/index.html
test ! -e /home/joe
test "$(cat /sysroot/home/joe/note)" = "written before"
test "$(cat /sysroot/etc/hostname)" = plain
grep -q "^root:" /sysroot/etc/passwd
ls /sysroot/var/lib/containers/storage/overlay-images
cmp /root/.ssh/authorized_keys /sysroot/root/.ssh/authorized_keys
