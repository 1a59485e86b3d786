# The stick installs a machine without anybody; then a login at its console, and its page (book chapter, exercise 4).
port=$(cat ../S40-kickstart-iso/port)
coproc registry { exec slipway registry serve --storage registry --addr "127.0.0.1:$port"; }
trap "kill $registry_PID" EXIT
read -r said <&"${registry[0]}"
slipway build -t localhost/web-bootc:latest "$scenarios/../web"
slipway push --tls-verify=false localhost/web-bootc:latest "127.0.0.1:$port/bootc/web-bootc:latest"
trap "slipway vm rm --force appliance; kill $registry_PID" EXIT
slipway vm run --detach --name appliance --usb ../S40-kickstart-iso/stick.img --disk-size 8G --memory 2560 --forward 0:80
slipway vm wait --console "Install finished" --failure "Install failed" appliance
# It restarts, and the installer shows no such prompt.
slipway vm wait --console " login: " appliance
slipway vm ssh appliance -- systemctl is-active --wait web.service
# At the console: what is typed comes back, so the answers are what was not typed.
mkfifo keys
slipway vm console appliance < keys > screen &
exec 4> keys
awaited() {
  until grep -aqE "$1" screen; do kill -0 $!; sleep 0.2; done
}
printf '\n' >&4
awaited 'login: $'
printf 'mstonge\n' >&4
awaited 'Password: $'
printf 'embedded\n' >&4
awaited '\$ $'
printf 'id -nG; ip addr show; echo the $((20 + 22))nd line\n' >&4
awaited 'the 42nd line'
exec 4>&-
grep -a "sudo" screen
# On a terminal an address has a colour.
grep -a "inet .*10\.0\.2\." screen
curl -sL "http://$(slipway vm ip --port 80 appliance)" | grep -F "Slipway web, version 1"
slipway vm stop appliance
