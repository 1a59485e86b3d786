# Automatic updates off, and once a week (RHEL image mode, 5.4).
systemctl is-active bootc-fetch-apply-updates.timer
systemctl mask --now bootc-fetch-apply-updates.timer
test "$(systemctl is-enabled bootc-fetch-apply-updates.timer)" = masked
systemctl unmask bootc-fetch-apply-updates.timer
# The document's drop-in; here below /etc, because /usr of a machine is the image's.
mkdir -p /etc/systemd/system/bootc-fetch-apply-updates.timer.d
cat > /etc/systemd/system/bootc-fetch-apply-updates.timer.d/updates.conf << 'END'
[Timer]
# Clear previous timers
OnBootSec=
OnBootSec=1w
OnUnitInactiveSec=1w
END
systemctl daemon-reload
systemctl start bootc-fetch-apply-updates.timer
systemctl show -P TimersMonotonic bootc-fetch-apply-updates.timer | grep -F "OnBootUSec=1w"
test -z "$(systemctl show -P TimersMonotonic bootc-fetch-apply-updates.timer | grep -F "OnBootUSec=1h")"
rm -r /etc/systemd/system/bootc-fetch-apply-updates.timer.d
systemctl daemon-reload
