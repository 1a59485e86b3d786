# Each version is an entry of the boot menu with its kernel, initramfs and ostree= (RHEL image mode, 6.2).
entries=$(ls /boot/loader/entries/*.conf | wc -l)
test "$entries" = "$(bootc status --json | grep -o '"deploySerial"' | wc -l)"
for entry in /boot/loader/entries/*.conf; do
  grep -E "^title .*\(ostree:[0-9]+\)" "$entry"
  grep -E "^options .*root=UUID=.* ostree=/ostree/boot\.[01]/default/[0-9a-f]{64}/[0-9]+" "$entry"
  test -s "/boot$(sed -n 's/^linux //p' "$entry" | sed 's,^/boot,,')"
  test -s "/boot$(sed -n 's/^initrd //p' "$entry" | sed 's,^/boot,,')"
done
grep -oE "ostree=[^ ]+" /proc/cmdline | grep -F -f - /boot/loader/entries/*.conf
