#!/bin/busybox sh
# The guest's only program. It prints one line "QUOIN <what> <value>" per step on the console and powers off;
# "QUOIN failed <step>" is the end of the test. Kernel parameters: quoin.probe=1 only says hello,
# quoin.export=NAME attaches that export with the kernel's own client after the disk's part,
# quoin.stamps=1 writes numbers to two disks until the end, quoin.look=1 tells what disks have of them.

export PATH=/bin:/sbin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev

say() { echo "QUOIN $*"; }
finish() { sync; poweroff -nf; sleep 60; }
fail() { say "failed $*"; dmesg | tail -n 20; finish; }
step() { "$@" >/tmp/out 2>&1 || { cat /tmp/out; fail "$@"; }; }
parameter() { sed -n "s/.*$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

say "boot $(uname -r)"
[ -z "$(parameter quoin.probe)" ] || finish
while read -r module; do
    insmod "/modules/$module" || fail "insmod $module"
done </modules/order

# Busybox's shell prefers its own applets: the real tools are called by their path.

# Files of many sizes, some rewritten in place, and one large one to be thrown away.
fill() {
    mkdir "$1/files" || fail "mkdir $1"
    for size in 1 511 512 513 4095 4096 4097 65535 65536 65537 300000 1048576; do
        for copy in 1 2 3; do
            head -c $size /dev/urandom >"$1/files/$size.$copy" || fail "write $1 $size"
        done
    done
    for at in 0 3 7 16 31; do
        dd if=/dev/urandom of="$1/files/1048576.1" bs=5000 seek=$at count=3 conv=notrunc 2>/dev/null || fail "rewrite $1"
    done
    (cd "$1/files" && sha256sum * >../sums) || fail "sum $1"
    sync
}

verify() {
    (cd "$1/files" && sha256sum -c ../sums >/tmp/out 2>&1) || { grep -v OK /tmp/out; fail "checksums on $1"; }
    say "checksums $1 $(grep -c OK /tmp/out)"
}

formatted() { [ "$(dd if="$1" bs=2 skip=540 count=1 2>/dev/null | xxd -p)" = 53ef ]; }

# First boot: make the file system, fill it, discard what was deleted, sync, and reset without an unmount.
first_boot() {
    step /sbin/mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 /dev/vda
    step mount -t ext4 /dev/vda /mnt
    head -c 67108864 /dev/urandom >/mnt/large || fail "write large"
    sync
    fill /mnt
    rm /mnt/large
    sync
    step /sbin/fstrim -v /mnt
    say "trimmed $(sed -n 's/.*(\([0-9]*\) bytes).*/\1/p' /tmp/out)"
    sync
    say "rebooting"
    reboot -nf
    sleep 60
}

# Second boot: the journal is replayed, every synced file is there, the file system is clean.
second_boot() {
    step mount -t ext4 /dev/vda /mnt
    verify /mnt
    step umount /mnt
    step /sbin/e2fsck -fn /dev/vda
    say "fsck vda clean"
    step blockdev --flushbufs /dev/vda
    say "sha256 vda $(sha256sum </dev/vda | cut -d' ' -f1)"
}

attach() { step /sbin/nbd-client -N "$1" -C 2 10.0.2.100 10809 /dev/nbd0; step blockdev --getsize64 /dev/nbd0; }
detach() { step /sbin/nbd-client -d /dev/nbd0; }

# The kernel's client over TCP: a file system that survives a detach, then raw blocks.
kernel_client() {
    ip link set lo up
    step ip address add 10.0.2.15/24 dev eth0
    step ip link set eth0 up
    attach "$1"
    say "attached $1 $(cat /tmp/out)"
    step /sbin/mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 /dev/nbd0
    step mount -t ext4 /dev/nbd0 /mnt
    fill /mnt
    step umount /mnt
    detach
    attach "$1"
    step /sbin/e2fsck -fn /dev/nbd0
    say "fsck $1 clean"
    step mount -t ext4 -o ro /dev/nbd0 /mnt
    verify /mnt
    step umount /mnt
    step /sbin/blkdiscard -f -o 33554432 -l 8388608 /dev/nbd0
    step /sbin/blkdiscard -f -z -o 41943040 -l 1048576 /dev/nbd0
    head -c 3000000 /dev/urandom >/tmp/data
    dd if=/tmp/data of=/dev/nbd0 bs=100000 seek=337 2>/dev/null || fail "raw write"
    sync
    step blockdev --flushbufs /dev/nbd0
    dd if=/dev/nbd0 bs=100000 skip=337 count=30 2>/dev/null | cmp - /tmp/data || fail "raw read"
    say "sha256 $1 $(sha256sum </dev/nbd0 | cut -d' ' -f1)"
    detach
    say "detached $1"
}

# Numbers, each durable on the first disk before it is written to the second, until the guest is killed.
stamps() {
    for disk in vda vdb; do
        step /sbin/mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 /dev/$disk
        step mkdir /mnt/$disk
        step mount -t ext4 /dev/$disk /mnt/$disk
    done
    number=0
    while :; do
        number=$((number + 1))
        for disk in vda vdb; do
            echo $number | dd of=/mnt/$disk/stamp conv=fsync,notrunc 2>/dev/null || fail "stamp $disk"
            head -c 20000 /dev/urandom >/mnt/$disk/noise.$((number % 50)) || fail "noise $disk"
        done
        say "stamp $number"
    done
}

# What each disk has once its journal is replayed.
look() {
    for disk in vda vdb vdc vdd vde vdf; do
        [ -b /dev/$disk ] || continue
        step mount -t ext4 /dev/$disk /mnt
        say "found $disk $(cat /mnt/stamp)"
        step umount /mnt
        step /sbin/e2fsck -fn /dev/$disk
        say "fsck $disk clean"
    done
}

[ -b /dev/vda ] || fail "no /dev/vda"
[ -z "$(parameter quoin.stamps)" ] || stamps
if [ -n "$(parameter quoin.look)" ]; then look; say "done"; finish; fi
if formatted /dev/vda; then second_boot; else first_boot; fi
[ -z "$(parameter quoin.export)" ] || kernel_client "$(parameter quoin.export)"
say "done"
finish
