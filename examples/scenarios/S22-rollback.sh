# Back to the version before, told by the journal; then forward again (RHEL image mode, 5.6).
bootc rollback | grep -F "Next boot: rollback deployment"
journalctl -b MESSAGE_ID=26f3b1eb24464d12aa5e7b544a6b5468 -o cat | grep -F "Rolling back to image: sha256:"
#: reboot
grep -F "version 1" /usr/share/web/index.html
test "$(bootc status --json | grep -o '"rollback":{' | wc -l)" = 1
bootc rollback
#: reboot
grep -F "version 2" /usr/share/web/index.html
