# Users that an image brings (RHEL image mode, 7.1).
#: publish 5 stable S28
bootc upgrade
#: reboot
grep -F "version 5" /usr/share/web/index.html
# By systemd-sysusers, in the machine's /etc.
getent passwd mycustom | grep -F "A user of systemd-sysusers:/var/lib/mycustom"
grep "^mycustom:" /etc/passwd
# By a JSON record, which /etc knows nothing of.
getent passwd jane | grep -F ":2001:2001:"
getent group 2001 | grep "^jane:"
if grep "^jane:" /etc/passwd; then exit 1; fi
# By a line of the image's own table, likewise.
getent passwd sam | grep -F "sam:*:2002:2002:Sam:"
if grep "^sam:" /etc/passwd; then exit 1; fi
test "$(id -nG sam)" = "sam crew"
test "$(stat -c %U:%G /var/home/sam)" = sam:sam
test "$(ssh -n -i /usr/share/mycustom-key -o BatchMode=yes -o StrictHostKeyChecking=no sam@127.0.0.1 id -un)" = sam
# By DynamicUser.
test "$(systemctl show -P DynamicUser web.service)" = yes
getent passwd web
# By a key in tmpfiles.d.
test "$(stat -c '%U %a' /var/lib/mycustom/.ssh/authorized_keys)" = "mycustom 600"
test "$(ssh -n -i /usr/share/mycustom-key -o BatchMode=yes -o StrictHostKeyChecking=no mycustom@127.0.0.1 id -un)" = mycustom
rm /var/lib/mycustom/.ssh/authorized_keys
systemd-tmpfiles --create
test "$(ssh -n -i /usr/share/mycustom-key -o BatchMode=yes -o StrictHostKeyChecking=no mycustom@127.0.0.1 id -un)" = mycustom
# By cloud-init, from a seed on the machine.
mkdir -p /var/lib/cloud/seed/nocloud
echo "instance-id: one" > /var/lib/cloud/seed/nocloud/meta-data
cat > /var/lib/cloud/seed/nocloud/user-data <<END
#cloud-config
users:
- name: claudia
  shell: /bin/bash
  ssh_authorized_keys:
  - $(cat /usr/share/mycustom-key.pub)
END
#: reboot
cloud-init status --wait || test $? = 2
test "$(ssh -n -i /usr/share/mycustom-key -o BatchMode=yes -o StrictHostKeyChecking=no claudia@127.0.0.1 id -un)" = claudia
