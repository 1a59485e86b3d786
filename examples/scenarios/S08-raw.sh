# Raw disks with either kind of partition table, from local storage (guide to image mode, 3.5).
ssh-keygen -q -t ed25519 -N "" -f key
cat > config.toml << END
[[blueprint.customizations.user]]
name = "user"
password = "pass"
key = "$(cat key.pub)"
groups = ["sudo"]
END
bootc-image-builder --local --type raw --config config.toml --output gpt localhost/debian-bootc:trixie
bootc-image-builder --local --type raw --config config.toml --partition-table mbr --output mbr localhost/debian-bootc:trixie
for table in gpt mbr; do
  disk=$table/image/disk.raw
  sfdisk --dump "$disk" > said
  cat said
  grep -x "label: ${table/mbr/dos}" said
  sfdisk --verify "$disk"
  test -s "$table/manifest-raw.json"
  # The root is the last, and its file system is sound.
  start=$(sed -n 's/.*start= *\([0-9]*\),.*/\1/p' said | tail -n 1)
  dd if="$disk" of=root bs=1M skip=$((start / 2048)) conv=sparse status=none
  e2fsck -fn root
  rm root
done
