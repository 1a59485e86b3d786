# A kickstart file and a vendor's ISO become an installer of one's own, on a stick (book chapter, exercise 3).
# The registry that it names is started later, by who installs.
coproc registry { exec slipway registry serve --storage "$PWD/none" --addr 127.0.0.1:0; }
read -r said <&"${registry[0]}"
kill "$registry_PID"
port=${said##*:}
echo "$port" > port
sed "s/PORT/$port/" > mykickstart.ks << 'END'
# mykickstart.ks
# version 1
# anaconda installer type
text
# Make sure the device is connected to an Ethernet network with active DHCP.
network --bootproto=dhcp --device=link --activate
# Basic partitioning
clearpart --all --initlabel --disklabel=gpt
reqpart --add-boot
part / --grow --fstype xfs
# This is where the container image is referenced
# Note that this kickstart file has no packages section
ostreecontainer --url 10.0.2.2:PORT/bootc/web-bootc:latest --no-signature-verification
# Further settings for demonstration
firewall --disabled
services --enabled=ssh
# Add your own user account to the system
user --name=mstonge --groups=sudo --plaintext --password=embedded
# Set the root password
rootpw --plaintext embedded
# This registry has no TLS.
%pre
mkdir -p /etc/containers/registries.conf.d
printf '[[registry]]\nlocation = "10.0.2.2:PORT"\ninsecure = true\n' > /etc/containers/registries.conf.d/here.conf
%end
END
# Dashes as word processors make them are found before a machine is.
sed "s/--fstype/–fstype/" mykickstart.ks > pasted.ks
if slipway kickstart check --version RHEL9 pasted.ks 2> said; then exit 1; fi
grep -F "U+2013 EN DASH where -- was meant" said
slipway kickstart check --version RHEL9 mykickstart.ks
vendor=$PWD/../S09-iso/output/bootiso/install.iso
mkksiso --ks "$PWD/mykickstart.ks" "$vendor" "$PWD/mycustominstaller.iso"
checkisomd5 mycustominstaller.iso
xorriso -osirrox on -indev mycustominstaller.iso -extract /mykickstart.ks found.ks -extract /boot/grub/grub.cfg menu
cmp mykickstart.ks found.ks
grep -F "inst.ks=hd:LABEL=" menu
# A drive that holds other things already is written over, and read back.
truncate --size 2G stick.img
drive=$(losetup --show --find stick.img)
trap 'losetup --detach "$drive"' EXIT
if slipway iso write mycustominstaller.iso "$drive" < /dev/null; then exit 1; fi
slipway iso write --yes --fixed-drive mycustominstaller.iso "$drive"
cmp --bytes "$(stat --format %s mycustominstaller.iso)" mycustominstaller.iso "$drive"
