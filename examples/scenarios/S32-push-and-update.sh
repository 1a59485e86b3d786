# A push, and the timer that brings it (first article, 3).
mkdir -p /run/systemd/system/bootc-fetch-apply-updates.timer.d
printf '[Timer]\nOnActiveSec=1s\nRandomizedDelaySec=0\n' \
  > /run/systemd/system/bootc-fetch-apply-updates.timer.d/soon.conf
#: publish 5 production
systemctl daemon-reload
systemctl restart bootc-fetch-apply-updates.timer
#: restarted
grep -F "version 5" /usr/share/web/index.html
