# From a stage to a production tag: the reference changes, /etc and /var stay (RHEL image mode, 5.1).
ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub > /var/tmp/host-key
mkdir -p /var/home/joe && echo mine > /var/home/joe/note
#: publish 4 production
bootc switch --apply "$registry/web:production"
#: restarted
bootc status | grep -F "$registry/web:production"
grep -F "version 4" /usr/share/web/index.html
ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cmp - /var/tmp/host-key
test "$(cat /home/joe/note)" = mine
