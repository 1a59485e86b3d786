# config.json to qcow2, and the other types that the article names (first article, 2.1 and 2.2).
podman image pull "$registry/web:latest"
cat > config.json << 'END'
{
  "blueprint": {
    "customizations": {
      "user": [
        {
          "name": "user",
          "password": "password",
          "key": "ssh-rsa AAAAB3...",
          "groups": ["wheel"]
        }
      ]
    }
  }
}
END
mkdir output
podman run \
    --rm \
    -it \
    --privileged \
    --pull=newer \
    --security-opt label=type:unconfined_t \
    -v /var/lib/containers/storage:/var/lib/containers/storage \
    -v $(pwd)/config.json:/config.json \
    -v $(pwd)/output:/output \
    "$private/bootc-image-builder:latest" \
    --type qcow2 \
    --local \
    --rootfs xfs \
    --log-level info \
    "$registry/web:latest"
qemu-img check output/qcow2/disk.qcow2
# The article asks for one at a time.
for types in "--type ami --type raw --type vmdk" "--type anaconda-iso"; do
  podman run \
    --rm \
    -it \
    --privileged \
    --pull=newer \
    --security-opt label=type:unconfined_t \
    -v /var/lib/containers/storage:/var/lib/containers/storage \
    -v $(pwd)/config.json:/config.json \
    -v $(pwd)/output:/output \
    "$private/bootc-image-builder:latest" \
    $types \
    --local \
    --rootfs xfs \
    --log-level info \
    "$registry/web:latest"
done
sfdisk --verify output/image/disk.raw
qemu-img compare -f raw -F vmdk output/image/disk.raw output/vmdk/disk.vmdk
xorriso -indev output/bootiso/install.iso -find /images/pxeboot
