#!/bin/sh
# train.sh ROOT JAVA HOME: runs short commands of the host agent inside ROOT and leaves the JVM's
# ahead-of-time cache as HOME/app.aot. Runs in a mount name space of its own.
set -eu
root=$1 java=$2 home=$3
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
# Without machine code: it would be that of this machine's processor, and the JVM (25.0.3) runs it on
# lesser ones too, until an instruction is illegal.
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 chroot "$root" \
  "$java" -XX:+UnlockDiagnosticVMOptions -XX:-AOTAdapterCaching -XX:-AOTStubCaching \
  -XX:AOTCacheOutput="$home/app.aot" "@$home/train.args" \
  slipway.cli.Main internals aot-training
# A cache that the JVM turns down is worse than none, and it does so silently; ask it to complain.
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 chroot "$root" \
  "$java" -XX:AOTMode=on "@$home/quick.args" slipway.cli.Main --version
rm -f "$root$home/train.args"
