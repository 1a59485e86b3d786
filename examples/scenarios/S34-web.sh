# config.json, a qcow2 disk, a machine of it, its page and a login (second article).
ssh-keygen -q -t ed25519 -N "" -f key
cat > config.json << END
{
  "blueprint": {
    "customizations": {
      "user": [
        {"name": "cloud-user", "password": "changeme", "key": "$(cat key.pub)", "groups": ["sudo"]}
      ]
    }
  }
}
END
slipway build -t localhost/web-bootc:1 "$scenarios/../web"
mkdir output
bootc-image-builder --type qcow2 --config config.json --output output localhost/web-bootc:1
slipway vm run --name web-bootc --memory 2048 --vcpus 2 --virt-install ./output/qcow2/disk.qcow2
trap "slipway vm rm --force web-bootc" EXIT
slipway vm run --detach --name web-bootc --memory 2048 --forward 0:80 ./output/qcow2/disk.qcow2
slipway vm ssh web-bootc -- systemctl is-active --wait web.service
curl -sL "$(slipway vm ip --port 80 web-bootc)" | tee said
grep -F "Slipway web, version 1" said
address=$(slipway vm ip --port 22 web-bootc)
ssh -i key -l cloud-user -p "${address#*:}" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "${address%:*}" id
