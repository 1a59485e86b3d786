# What the update of S32 wrote into the journal, and the two deployments (second article).
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
