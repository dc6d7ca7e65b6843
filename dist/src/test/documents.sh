# Runs the blocks of the documents in a root of their own: /run/documents/PAGE/NUMBER-PLACE.sh, in that order, each with
# a new shell, those of a page in one folder and beside one service. Says "PASSED PLACE" or "FAILED PLACE", and why.
set -eu
mount -t proc proc /proc
ip link set lo up
export HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset QUOIN_DATA QUOIN_CLASSPATH QUOIN_JAVA_OPTS JAVA_HOME

# The other machine is a data folder beside, and a failure of the API is one of curl.
echo '127.0.0.1 localhost backup.example.org' >/etc/hosts
printf 'fail\n' >/root/.curlrc
cat >/usr/local/bin/ssh <<'SSH'
#!/bin/sh
shift
QUOIN_DATA=/var/lib/other exec "$@"
SSH
cat >/usr/local/bin/sudo <<'SUDO'
#!/bin/sh
user=$2
shift 2
HOME=$(getent passwd "$user" | cut -d: -f6) exec setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups "$@"
SUDO
chmod +x /usr/local/bin/ssh /usr/local/bin/sudo

end_background() {
    [ -e /run/background ] || return 0
    for each in $(cat /run/background); do
        kill "$each" 2>/dev/null || continue
        while kill -0 "$each" 2>/dev/null; do sleep 0.1; done
    done
    rm /run/background
}

for page in /run/documents/*/; do
    for disk in nvme0 disk0 disk1 disk2 disk3 d0 d1 d2 d3; do
        mkdir -p /srv/$disk
        umount /srv/$disk 2>/dev/null || true
        mount -t tmpfs disk /srv/$disk # copies on one disk are refused
    done
    rm -rf /var/lib/quoin/* /var/lib/other /backup /mnt/old
    mkdir -p /backup /mnt/old /var/lib/other
    work=/run/work/$(basename "$page")
    mkdir -p "$work/bin"
    cd "$work"
    ln -s /usr/bin/quoin bin/quoin
    ln -s /var/lib/quoin DIR
    ln -s /var/lib/quoin/nbd.sock nbd.sock
    ln -s /run/packages/* .
    for script in "$page"*.sh; do
        if timeout 120 bash -eu "$script" >/run/output 2>&1 </dev/null; then
            echo "PASSED ${script##*/}"
        else
            echo "FAILED ${script##*/} by $?"
            sed 's/^/    /' "$script" /run/output
        fi
    done
    end_background
done
