# An ISO on a USB stick installs a machine that has no network (guide to image mode, 4.4).
made=../S09-iso
truncate --size 2G stick.img
dd if="$made/output/bootiso/install.iso" of=stick.img conv=notrunc bs=4M status=none
trap "slipway vm rm --force offline" EXIT
slipway vm run --detach --name offline --usb stick.img --disk-size 8G --isolated --memory 2560
slipway vm wait --console "Install finished" --failure "Install failed" offline
# It restarts by itself, and its disk comes first.
slipway vm wait --console "offline login:" offline
slipway vm ssh offline -- bootc status
address=$(slipway vm ip --port 22 offline)
ssh -i "$made/key" -p "${address#*:}" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
  "user@${address%:*}" "hostname; id; cat /proc/cmdline" | tee said
grep -Fx offline said
grep -F "(sudo)" said
grep -F ostree= said
slipway vm stop offline
