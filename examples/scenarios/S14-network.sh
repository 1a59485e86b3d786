# The network starts a machine and installs it (guide to image mode, 4.5).
ssh-keygen -q -t ed25519 -N "" -f key
cat > config.toml << END
[customizations]
hostname = "netbox"
[customizations.kernel]
append = "console=ttyS0,115200 mitigations=off"
[[customizations.user]]
name = "user"
key = "$(cat key.pub)"
END
slipway disk build --type pxe --installer-mode unattended --config config.toml --output out localhost/debian-bootc:trixie
trap "slipway vm rm --force tftp" EXIT
# A UEFI client finds by DHCP and TFTP what shows the menu.
slipway vm run --detach --name tftp --pxe out/pxe/grubx64.efi --disk-size 1G
slipway vm wait --console "Install Debian" tftp
slipway vm rm --force tftp
# What a BIOS client's iPXE is told by DHCP lies on a server for HTTP, and so does the rest.
coproc web { exec slipway netboot serve --bind 127.0.0.1 --http-port 0 --no-tftp --json out/pxe; }
trap "kill $web_PID" EXIT
read -r said <&"${web[0]}"
[[ $said =~ http://127.0.0.1:([0-9]+)/ ]]
trap "slipway vm rm --force netbox; kill $web_PID" EXIT
slipway vm run --detach --name netbox --firmware bios --pxe "http://10.0.2.2:${BASH_REMATCH[1]}/boot.ipxe" \
  --disk-size 8G --memory 3072
slipway vm wait --console "Install finished" --failure "Install failed" netbox
for file in boot.ipxe vmlinuz initrd.img rootfs.img install.img; do
  read -r said <&"${web[0]}"
  grep -F "\"file\":\"/$file\",\"result\":\"200\"" <<< "$said"
done
slipway vm wait --console "netbox login:" netbox
address=$(slipway vm ip --port 22 netbox)
ssh -i key -p "${address#*:}" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
  "user@${address%:*}" "hostname; cat /proc/cmdline; bootc status" | tee said
grep -Fx netbox said
grep -F ostree= said
slipway vm stop netbox
