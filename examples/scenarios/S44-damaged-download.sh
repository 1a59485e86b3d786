# An image that is damaged on its way changes nothing; once it is whole it comes (book).
#: publish 4 stable
#: damage
if bootc upgrade 2> /run/said; then cat /run/said; exit 1; fi
cat /run/said
grep -F "digest" /run/said
test "$(bootc status --json | grep -o '"staged":null')" = '"staged":null'
grep -F "version 3" /usr/share/web/index.html
#: repair
bootc upgrade
#: reboot
grep -F "version 4" /usr/share/web/index.html
