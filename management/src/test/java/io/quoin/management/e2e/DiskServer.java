package io.quoin.management.e2e;

import java.nio.file.Path;
import java.util.Map;

/**
 * A running NBD server with disks made for it. The tests run against Quoin; with the system
 * property {@code quoin.e2e.server=qemu-nbd} they run against qemu-nbd, which tells a fault of a
 * test from one of Quoin.
 */
interface DiskServer extends AutoCloseable {
    /** Serves these disks (name and size in bytes), made in the folder unless they are there. */
    static DiskServer start(Path folder, Map<String, Long> disks) {
        return "qemu-nbd".equals(System.getProperty("quoin.e2e.server"))
                ? QemuNbdServer.startServer(folder, disks)
                : QuoinServer.startServer(folder, disks);
    }

    NbdUri unix(String disk);

    NbdUri tcp(String disk);

    Path image(String disk);

    /** Ends it with SIGKILL at whatever it is doing. */
    void kill();

    /** Ends it in good order and fails unless it says that all went well. */
    void stop();

    @Override
    void close();
}
