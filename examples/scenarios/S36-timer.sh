# The text of the timer and of the service (article on bootable containers).
systemctl status --no-pager bootc-fetch-apply-updates.timer | tee /run/said
grep -F "bootc-fetch-apply-updates.timer - Apply bootc updates" /run/said
grep -F "Active: active (waiting)" /run/said
grep -F "bootc-fetch-apply-updates.service" /run/said
grep -F "man:bootc(8)" /run/said
systemctl cat bootc-fetch-apply-updates.timer > /run/said
for line in OnBootSec=1h OnUnitInactiveSec=8h RandomizedDelaySec=2h ConditionPathExists=/run/ostree-booted \
  WantedBy=timers.target; do
  grep -x "$line" /run/said
done
cat /usr/lib/systemd/system/bootc-fetch-apply-updates.service > /run/said
grep -x "Type=oneshot" /run/said
grep -E "^ExecStart=/usr/bin/bootc (update|upgrade) --apply --quiet$" /run/said
