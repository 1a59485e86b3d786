# What a booted machine shows of its file systems (article on bootable containers).
cat /proc/cmdline | grep -E "root=UUID=[0-9a-f-]+ .*ostree=/ostree/boot\.[01]/default/[0-9a-f]{64}/[0-9]+"
lsblk
df -h | grep -E "^(overlay|composefs) .* 100% /$"
df -h /sysroot /boot | grep -E "^/dev/.* /sysroot$"
df -h | grep -E "^/dev/.* /boot$"
findmnt -no FSTYPE / | grep -x overlay
for path in / /sysroot; do findmnt -no OPTIONS $path | grep -E "^ro,"; done
for path in /etc /var; do findmnt -no OPTIONS $path | grep -E "^rw,"; done
test "$(readlink /home)" = var/home
test "$(readlink /root)" = var/roothome
for path in /usr/x /usr/local/x /opt/x /x; do
  if touch "$path" 2> /dev/null; then echo "$path can be written"; exit 1; fi
done
