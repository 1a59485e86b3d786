# An image with cloud-init becomes an AMI (guide to image mode, 2.1 and 3.4).
slipway build -t localhost/cloud:1 "$scenarios/S11"
slipway images | grep -E "^localhost/cloud +1 "
mkdir -p .aws
printf "[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example\n" > .aws/credentials
chmod 600 .aws/credentials
export HOME=$PWD AWS_PROFILE=default
# Some of the flags alone are refused, and so is a bucket that is not there; before the disk is made.
if bootc-image-builder --type ami --aws-ami-name bootc-x86 localhost/cloud:1 2> said; then exit 1; fi
grep -F "missing [aws-bucket aws-region]" said
if bootc-image-builder --type ami --aws-ami-name bootc-x86 --aws-bucket nobodys --aws-region "$region" \
  localhost/cloud:1 2> said; then exit 1; fi
grep -F nobodys said
test ! -e image
bootc-image-builder --type ami --aws-ami-name bootc-x86 --aws-bucket "$bucket" --aws-region "$region" \
  localhost/cloud:1 | tee said
grep -E "ami-[0-9a-f]+" said
# Without them the AMI lands in the output folder.
bootc-image-builder --type ami --output kept localhost/cloud:1
test -s kept/image/disk.raw
