# A kickstart file of a web server installs an image of a registry (guide to image mode, 4.3).
ssh-keygen -q -t ed25519 -N "" -f key
coproc registry { exec slipway registry serve --storage registry --addr 127.0.0.1:0; }
trap "kill $registry_PID" EXIT
read -r said <&"${registry[0]}"
# As the emulated network calls this computer.
registry=10.0.2.2:${said##*:}
slipway build -t localhost/web:12 "$scenarios/../web"
slipway push --tls-verify=false localhost/web:12 "${said##* }/web:stable"
mkdir served
cat > served/box.ks << END
# Basic setup
text
network --bootproto=dhcp --device=link --activate --hostname=ksbox
# Basic partitioning
clearpart --all --initlabel --disklabel=gpt
reqpart --add-boot
part / --grow --fstype xfs

# Reference the container image to install - The kickstart
# has no %packages section. A container image is being installed.
ostreecontainer --url $registry/web:stable

firewall --disabled
services --enabled=ssh

# Only inject a SSH key for root
rootpw --iscrypted locked
sshkey --username root "$(cat key.pub)"
reboot

# This registry has no TLS, which the installer and the machine have to know.
%pre
mkdir -p /etc/containers/registries.conf.d
printf '[[registry]]\nlocation = "$registry"\ninsecure = true\n' > /etc/containers/registries.conf.d/here.conf
%end
%post --nochroot --erroronfail
mkdir -p \$ANA_INSTALL_PATH/etc/containers/registries.conf.d
cp /etc/containers/registries.conf.d/here.conf \$ANA_INSTALL_PATH/etc/containers/registries.conf.d
%end
END
slipway kickstart check --version RHEL9 served/box.ks
coproc web { exec slipway netboot serve --bind 127.0.0.1 --http-port 0 --no-tftp --json served; } 2> /dev/null
trap "kill $registry_PID $web_PID" EXIT
read -r said <&"${web[0]}"
[[ $said =~ http://127.0.0.1:([0-9]+)/ ]]
# What one would add to the kernel's line in the boot menu.
mkksiso --cmdline "inst.ks=http://10.0.2.2:${BASH_REMATCH[1]}/box.ks" ../S09-iso/output/bootiso/install.iso boot.iso
trap "slipway vm rm --force ksbox; kill $registry_PID $web_PID" EXIT
slipway vm run --detach --name ksbox --cdrom boot.iso --disk-size 8G --memory 2560 --forward 0:80
slipway vm wait --console "Install finished" --failure "Install failed" ksbox
read -r said <&"${web[0]}"
grep -F /box.ks <<< "$said"
slipway vm wait --console "ksbox login:" ksbox
address=$(slipway vm ip --port 22 ksbox)
ssh -i key -p "${address#*:}" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
  "root@${address%:*}" "findmnt -no FSTYPE /sysroot; bootc status; bootc upgrade --check" | tee said
grep -x xfs said
grep -F "$registry/web:stable" said
grep -F "No changes" said
curl -sL "http://$(slipway vm ip --port 80 ksbox)" | grep -F "Slipway web, version 1"
slipway vm stop ksbox
