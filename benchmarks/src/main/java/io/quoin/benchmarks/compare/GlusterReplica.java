package io.quoin.benchmarks.compare;

import io.quoin.testkit.peer.PeerCommand;
import java.nio.file.Path;

/**
 * A GlusterFS volume of three copies with the options of its group virt, on three bricks of this
 * machine in a network namespace, and qemu-nbd on a qcow2 image of it through QEMU's gluster
 * driver. Needs root.
 *
 * <p>Threading: immutable.
 */
final class GlusterReplica {
    static final String NAME = "glusterfs";

    /** $1 a folder for bricks, $2 one for sockets, $3 the socket of qemu-nbd, $4 the size. */
    private static final String SCRIPT =
            """
            set -eu
            bricks=$1 run=$2 socket=$3 size=$4 host=10.71.0.1
            ip link set lo up
            ip address add $host/32 dev lo
            mkdir -p /var/log/glusterfs /run/gluster "$run/state"
            mount -t tmpfs none /var/log/glusterfs
            mount -t tmpfs none /run/gluster
            cat >"$run/glusterd.vol" <<END
            volume management
                type mgmt/glusterd
                option working-directory $run/state
                option run-directory $run
                option transport-type socket
                option glusterd-sockfile $run/glusterd.sock
            end-volume
            END
            glusterd -f "$run/glusterd.vol" -p "$run/glusterd.pid"
            manage() { gluster --mode=script --glusterd-sock="$run/glusterd.sock" "$@"; }
            for _ in $(seq 60); do
                manage pool list >/dev/null 2>&1 && break
                sleep 0.5
            done
            manage volume create bench replica 3 $host:"$bricks/b1" $host:"$bricks/b2" $host:"$bricks/b3" force
            manage volume set bench group virt
            manage volume start bench
            image=gluster://$host/bench/bench.qcow2
            qemu-img create -q -f qcow2 -o compat=1.1,cluster_size=65536,refcount_bits=16 $image "$size"
            exec qemu-nbd --socket="$socket" --format=qcow2 --cache=writeback --discard=unmap --detect-zeroes=off \
                --persistent --shared=16 --export-name=bench $image
            """;

    private GlusterReplica() {}

    /** Everything ends with the namespace, and that with the process. */
    static PeerCommand command(Path bricks, Path sockets, Path socket, long sizeBytes) {
        return PeerCommand.of(
                "unshare",
                "--net",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "bash",
                "-c",
                SCRIPT,
                "gluster",
                bricks.toString(),
                sockets.resolve("g").toString(),
                socket.toString(),
                Long.toString(sizeBytes));
    }
}
