# An upgrade by hand, staged and then applied at once (RHEL image mode, 5.5; book, example 6).
#: publish 1 stable
bootc upgrade --check | grep -F "Update available for: "
bootc upgrade | tee /run/said
grep -F "Queued for next boot: " /run/said
grep -E "layers already present: [0-9]+; layers needed: [0-9]+ \(" /run/said
grep -E "^Total new layers: [0-9]+ +Size: " /run/said
grep -F "version 0" /usr/share/web/index.html
#: reboot
grep -F "version 1" /usr/share/web/index.html
bootc update | grep -F "No update available."
#: publish 2 stable
bootc update --apply --quiet
#: restarted
grep -F "version 2" /usr/share/web/index.html
