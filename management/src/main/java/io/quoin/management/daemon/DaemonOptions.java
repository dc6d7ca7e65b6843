package io.quoin.management.daemon;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.operation.DiskAddress;
import io.quoin.management.volume.DataFolder;
import io.quoin.nbd.NbdServerOptions;
import io.quoin.snapshot.DiskName;
import io.quoin.xlator.memory.ProcessMemory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a daemon serves, and where.
 *
 * <p>Threading: immutable.
 *
 * @param folder its data folder
 * @param volfile the graph to use instead of the folder's own
 * @param disks made where they are missing
 * @param listen TCP address for NBD; null for none
 * @param socket unix socket for NBD
 * @param connectionsMax NBD connections at once on the unix socket, and as many over TCP
 * @param connectionsPerPeerMax how many of them one peer may have
 * @param loopCount how many threads share the disks
 * @param version for status
 * @param memoryBytes for the caches and buffers of all disks together
 * @param api where the API is served over TCP besides the control socket; null for nowhere
 * @param listsSnapshots whether NBD clients are told of snapshots that list the exports
 * @param bitmapNames by disk, what the dirty bitmap of its exports DISK@OLDER..NEWER is called
 */
public record DaemonOptions(
        DataFolder folder,
        @Nullable Path volfile,
        List<DiskSpec> disks,
        @Nullable ListenAddress listen,
        SocketOptions socket,
        int connectionsMax,
        int connectionsPerPeerMax,
        int loopCount,
        String version,
        long memoryBytes,
        @Nullable ApiOptions api,
        boolean listsSnapshots,
        Map<String, String> bitmapNames) {
    /** For the owner alone. */
    public static final int SOCKET_MODE = 0600;

    private static final int LOOPS_MAX = 16;

    /** As of QEMU's bitmaps. */
    private static final int BITMAP_NAME_BYTES_MAX = 1023;

    public DaemonOptions {
        disks = List.copyOf(disks);
        bitmapNames = Map.copyOf(bitmapNames);
        bitmapNames.forEach(DaemonOptions::requireBitmapName);
    }

    private static void requireBitmapName(String disk, String name) {
        DiskName.check(DiskAddress.of(disk).name());
        int lengthBytes = name.getBytes(StandardCharsets.UTF_8).length;
        if (lengthBytes == 0 || lengthBytes > BITMAP_NAME_BYTES_MAX || name.indexOf('\0') >= 0) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "illegal name of a bitmap: disk="
                            + disk
                            + ", bytes="
                            + lengthBytes
                            + ", expected=1 to "
                            + BITMAP_NAME_BYTES_MAX
                            + " bytes without NUL");
        }
    }

    /** With the default limits of connections, and memory of the default size. */
    public DaemonOptions(
            DataFolder folder,
            @Nullable Path volfile,
            List<DiskSpec> disks,
            @Nullable ListenAddress listen,
            Path socket,
            int socketMode,
            int loopCount,
            String version) {
        this(
                folder,
                volfile,
                disks,
                listen,
                new SocketOptions(socket, socketMode),
                NbdServerOptions.CONNECTIONS_MAX,
                NbdServerOptions.perPeer(NbdServerOptions.CONNECTIONS_MAX),
                loopCount,
                version,
                ProcessMemory.defaultBytes(),
                null,
                true,
                Map.of());
    }

    /** A loop for each processor, within reason. */
    public static int defaultLoopCount() {
        return Math.min(LOOPS_MAX, Runtime.getRuntime().availableProcessors());
    }
}
