# /etc is merged, /var is not rolled back (RHEL image mode, 6.1).
echo mine > /etc/motd
echo mine > /etc/own.conf
rm /etc/release.d/unwanted
mkdir -p /var/lib/database && echo one > /var/lib/database/row
#: publish 3 stable
bootc upgrade
#: reboot
grep -F "version 3" /usr/share/web/index.html
test "$(cat /etc/motd /etc/own.conf)" = "$(printf 'mine\nmine')"
# What the new version brings is there, what was removed here stays away.
test "$(ls /etc/release.d)" = 3
echo two >> /var/lib/database/row
bootc rollback
#: reboot
grep -F "version 2" /usr/share/web/index.html
test "$(cat /var/lib/database/row)" = "$(printf 'one\ntwo')"
bootc rollback
#: reboot
grep -F "version 3" /usr/share/web/index.html
