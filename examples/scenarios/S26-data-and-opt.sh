# A database is not rolled back; software that writes below /opt; a root that forgets (RHEL image mode, 6.1).
#: publish 1 stable S26
bootc upgrade
#: reboot
grep -F "version 1" /usr/share/web/index.html
pg_createcluster "$(ls /usr/lib/postgresql)" main --start
sql() { cd /; setpriv --reuid=postgres --regid=postgres --clear-groups psql -At -c "$1"; }
sql 'create table rows (name text)'
sql "insert into rows values ('one')"
echo linked > /opt/linked/logs/log
test "$(cat /var/log/linked/log)" = linked
systemctl is-active exampleapp.service
test "$(cat /var/log/exampleapp/log)" = started
if touch /opt/x 2> /dev/null; then echo "/opt can be written"; exit 1; fi
#: publish 2 stable S26-transient
bootc upgrade
#: reboot
grep -F "version 2" /usr/share/web/index.html
# It can be written until the next boot; what it leads to in /var stays.
touch /opt/x /x
echo again >> /opt/linked/logs/log
sql() { cd /; setpriv --reuid=postgres --regid=postgres --clear-groups psql -At -c "$1"; }
systemctl start postgresql
sql "insert into rows values ('two')"
#: reboot
test ! -e /opt/x -a ! -e /x
test "$(cat /var/log/linked/log)" = "$(printf 'linked\nagain')"
bootc rollback
#: reboot
grep -F "version 1" /usr/share/web/index.html
sql() { cd /; setpriv --reuid=postgres --regid=postgres --clear-groups psql -At -c "$1"; }
systemctl start postgresql
test "$(sql 'select name from rows')" = "$(printf 'one\ntwo')"
