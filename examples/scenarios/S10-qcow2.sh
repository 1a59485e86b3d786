# A qcow2 disk with a user, in a machine, reached by SSH (guide to image mode, 4.1 and 4.6).
ssh-keygen -q -t ed25519 -N "" -f key
cat > config.toml << END
[[blueprint.customizations.user]]
name = "user"
password = "pass"
key = "$(cat key.pub)"
groups = ["sudo"]
END
bootc-image-builder --type qcow2 --config config.toml localhost/debian-bootc:trixie
qemu-img check qcow2/disk.qcow2
slipway vm run --name bootc --memory 2048 --vcpus 2 --virt-install qcow2/disk.qcow2 | tee said
grep -E "^virt-install --name bootc --memory 2048 --vcpus 2 --import --disk [^ ]*qcow2/disk.qcow2,format=qcow2 --os-variant" said
trap "slipway vm rm --force bootc" EXIT
slipway vm run --detach --snapshot --name bootc --memory 2048 qcow2/disk.qcow2
# Who has started a machine may log in as root; that waits until it is up.
slipway vm ssh bootc -- systemctl is-system-running --wait || true
address=$(slipway vm ip --port 22 bootc)
ssh -i key -p "${address#*:}" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "user@${address%:*}" id | tee said
grep -F "(sudo)" said
slipway vm stop bootc
