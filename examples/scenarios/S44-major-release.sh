# A machine goes to the next major release of its distribution in place, and back (book).
#: publish 8 next S44
. /etc/os-release
test "$VERSION_CODENAME" = trixie
uname -r > /var/lib/kernel-before
echo mine > /etc/mine
bootc switch $registry/web:next
bootc what-changed | grep -F systemd
#: reboot
. /etc/os-release
test "$VERSION_CODENAME" = forky
test "$(uname -r)" != "$(cat /var/lib/kernel-before)"
test "$(cat /etc/mine)" = mine
test "$(systemctl is-system-running --wait)" = running
bootc rollback --no-hold
#: reboot
. /etc/os-release
test "$VERSION_CODENAME" = trixie
test "$(uname -r)" = "$(cat /var/lib/kernel-before)"
