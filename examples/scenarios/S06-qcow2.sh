# config.toml to qcow2, by the builder's image (guide, 3.3). The image is fetched by the builder: no storage is mounted.
cat > config.toml << 'END'
[[blueprint.customizations.user]]
name = "user"
password = "pass"
key = "ssh-rsa AAA ... user@email.com"
groups = ["wheel"]
END
mkdir output
podman run \
  --rm \
  -it \
  --privileged \
  --pull=newer \
  --security-opt label=type:unconfined_t \
  -v ./config.toml:/config.toml \
  -v ./output:/output \
  "$private/bootc-image-builder:latest" \
  --type qcow2 \
  --config config.toml \
  "$registry/web:latest"
qemu-img check output/qcow2/disk.qcow2
test -s output/manifest-qcow2.json
