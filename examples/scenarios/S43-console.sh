# An update brings a web console, and restarts into it (book, example 6).
#: publish 3 stable S43
bootc update --apply --quiet
#: restarted
grep -F "version 3" /usr/share/web/index.html
systemctl is-active cockpit.socket
# Its first answer makes a certificate.
curl --insecure --fail --silent --show-error --max-time 300 https://127.0.0.1:9090/ | grep -i "<title"
