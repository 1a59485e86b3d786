#!/bin/sh
# train.sh ROOT JAVA HOME KIND: runs commands of the host agent inside ROOT with the arguments of
# HOME/KIND.args and leaves the JVM's ahead-of-time cache, which they name, as HOME/KIND.aot. Runs in a
# mount name space of its own.
set -eu
root=$1 java=$2 home=$3 kind=$4
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
sed '/^-XX:AOTCache=/d' "$root$home/$kind.args" > "$root/tmp/train.args"
# Without machine code: it would be that of this machine's processor, and the JVM (25.0.3) runs it on
# lesser ones too, until an instruction is illegal.
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 chroot "$root" \
  "$java" -XX:+UnlockDiagnosticVMOptions -XX:-AOTAdapterCaching -XX:-AOTStubCaching \
  -XX:AOTCacheOutput="$home/$kind.aot" @/tmp/train.args \
  slipway.cli.Main internals aot-training "$kind"
# A cache that the JVM turns down is worse than none, and it does so silently; ask it to complain.
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 chroot "$root" \
  "$java" -XX:AOTMode=on "@$home/$kind.args" slipway.cli.Main --version
