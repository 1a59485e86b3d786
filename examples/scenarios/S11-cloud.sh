# An image with cloud-init is started as in EC2 and lets in who has the key (guide to image mode, 4.2).
ssh-keygen -q -t ed25519 -N "" -f instance.pem
chmod 400 instance.pem
printf "#cloud-config\nwrite_files:\n- path: /var/lib/told\n  content: by the user data\n" > user-data
slipway build -t localhost/cloud:1 "$scenarios/S11"
trap "slipway vm rm --force instance" EXIT
slipway vm run --detach --name instance --cloud ec2 --key instance.pem --user-data user-data --user debian \
  --memory 1536 --forward 0:80 localhost/cloud:1
# 2 is cloud-init's word for "done, and something was odd".
slipway vm ssh instance -- cloud-init status --wait --long || test $? = 2
address=$(slipway vm ip --port 22 instance)
ssh -i instance.pem -p "${address#*:}" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
  "debian@${address%:*}" "hostname; cloud-id; cat /var/lib/told; echo; sudo -n id -un" | tee said
printf "instance\naws\nby the user data\nroot\n" | cmp - said
curl -sL "http://$(slipway vm ip --port 80 instance)" | tee said
grep -F "Hello from the cloud" said
# It is told the same when it is switched on again: the machine is no copy.
slipway vm ssh instance -- cat /var/lib/cloud/data/instance-id > before
slipway vm stop instance
slipway vm start instance
slipway vm ssh instance -- cat /var/lib/cloud/data/instance-id | cmp before -
