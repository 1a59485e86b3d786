# An automatic update: a push, the timer, the journal, two deployments (articles; S32 too).
mkdir -p /run/systemd/system/bootc-fetch-apply-updates.timer.d
printf '[Timer]\nOnActiveSec=1s\nRandomizedDelaySec=0\n' \
  > /run/systemd/system/bootc-fetch-apply-updates.timer.d/soon.conf
#: publish 5 production
systemctl daemon-reload
systemctl restart bootc-fetch-apply-updates.timer
#: restarted
grep -F "version 5" /usr/share/web/index.html
journalctl -b -1 -u bootc-fetch-apply-updates.service -o cat > /run/said
grep -E "layers already present: [0-9]+; layers needed: [0-9]+ \(" /run/said
grep -F "Queued for next boot: $registry/web:production" /run/said
grep -E "Digest: sha256:[0-9a-f]{64}" /run/said
grep -E "^Total new layers: [0-9]+ +Size: " /run/said
grep -E "^Removed layers: +[0-9]+ +Size: " /run/said
grep -E "^Added layers: +[0-9]+ +Size: " /run/said
bootc status --format humanreadable > /run/said
grep -F "Booted image: $registry/web:production" /run/said
grep -F "Rollback image: $registry/web:production" /run/said
