# An ISO that installs without a question (guide to image mode, 3.6). The scripts behind this one start it.
# The kernel for clouds, which images have by default, knows no USB.
slipway base build --if-changed --kernel linux-image-amd64 -t localhost/debian-bootc:metal
ssh-keygen -q -t ed25519 -N "" -f key
cat > config.toml << END
[customizations]
hostname = "offline"
[customizations.kernel]
append = "console=ttyS0,115200 mitigations=off"
[[customizations.user]]
name = "user"
password = "pass"
key = "$(cat key.pub)"
groups = ["sudo"]
END
bootc-image-builder --type iso --installer-mode unattended --config config.toml --output output localhost/debian-bootc:metal
checkisomd5 output/bootiso/install.iso
xorriso -indev output/bootiso/install.iso -report_el_torito plain 2>&1 | tee said
grep -E "El Torito boot img.* BIOS " said
grep -E "El Torito boot img.* UEFI " said
# It is made to start from a stick, too.
sfdisk --dump output/bootiso/install.iso | grep -F install.iso1
