# The builder's image is pulled from a registry that wants a password (guide, 3.2).
podman login --username "$user" --password "$password" "$private"
podman pull "$private/bootc-image-builder"
podman images
podman images | grep -E "^$private/bootc-image-builder +latest +[0-9a-f]{12} "
