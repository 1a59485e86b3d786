# A registry that wants a password, which the image brings (RHEL image mode, 7.2).
printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$private" > /etc/containers/registries.conf.d/private.conf
if bootc switch "$private/web:stable" 2> /run/said; then exit 1; fi
grep -F "auth.json" /run/said
#: publish 6 stable S29
bootc upgrade
#: reboot
test "$(stat -c %a /usr/lib/container-auth.json)" = 600
#: private 7 S29
podman pull --quiet --authfile /etc/containers/auth.json "$private/app:1"
bootc switch "$private/web:stable"
#: reboot
grep -F "version 7" /usr/share/web/index.html
bootc upgrade | grep -F "No update available."
