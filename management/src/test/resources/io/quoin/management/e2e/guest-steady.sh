#!/bin/busybox sh
# The guest's only program: it writes 16 MiB in each round, syncs, and reads what the round before wrote, until its console says "stop".
# Then it verifies all files, runs fsck and powers off. One line "QUOIN <what> <value>" per step; "QUOIN failed <step>" is the end of the test.

export PATH=/bin:/sbin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev

say() { echo "QUOIN $*"; }
finish() { sync; poweroff -nf; sleep 60; }
fail() { say "failed $*"; dmesg | tail -n 20; finish; }
step() { "$@" >/tmp/out 2>&1 || { cat /tmp/out; fail "$@"; }; }

say "boot $(uname -r)"
grep -q quoin.probe=1 /proc/cmdline && finish
while read -r module; do
    insmod "/modules/$module" || fail "insmod $module"
done </modules/order
( while read -r word; do [ "$word" != stop ] || : >/tmp/stop; done ) </dev/console &

# A round is a window of these bytes, another one each time.
part() { dd if=/tmp/bytes bs=4096 skip=$(($1 % 256)) count=4096 2>/dev/null; }
file() { echo "/mnt/file$(($1 % 6))"; }
verify() {
    echo 3 >/proc/sys/vm/drop_caches
    part "$1" | cmp - "$(file "$1")" || fail "content of round $1"
}

head -c 17825792 /dev/urandom >/tmp/bytes
step /sbin/mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 /dev/vda
step mount -t ext4 /dev/vda /mnt
round=0
while [ ! -e /tmp/stop ]; do
    round=$((round + 1))
    part $round | dd of="$(file $round)" bs=1048576 conv=notrunc 2>/dev/null || fail "write of round $round"
    sync
    [ $round -eq 1 ] || verify $((round - 1))
    say "round $round written"
done
first=$((round > 6 ? round - 5 : 1))
while [ $first -le $round ]; do
    verify $first
    first=$((first + 1))
done
say "verified"
step umount /mnt
step /sbin/e2fsck -fn /dev/vda
say "fsck clean"
finish
