package io.quoin.brick.posix;

import java.nio.ByteBuffer;
import jnr.ffi.LibraryLoader;
import jnr.ffi.annotations.In;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Assumptions;

/** What only tests ask of the kernel. */
public interface TestLibC {
    int NEW_MOUNT_NAMESPACE = 0x20000;
    int RECURSIVE_PRIVATE = 0x4000 | 1 << 18;
    int OPEN_FILES = 7;

    int unshare(int flags);

    int mount(
            @In byte[] source, @In byte[] target, @In byte[] type, long flags, @In byte[] options);

    int setrlimit(int resource, long limitAddress);

    int mkfifo(@In byte[] path, int mode);

    static TestLibC load() {
        return LibraryLoader.create(TestLibC.class).load("c");
    }

    /**
     * Mounts a tmpfs that only the calling thread sees, and what it opens there; it is gone with
     * the last of them. Skips the test where that is not allowed.
     */
    static void mountPrivateTmpfs(String target, String options) {
        TestLibC c = load();
        Assumptions.assumeTrue(
                c.unshare(NEW_MOUNT_NAMESPACE) == 0, "mount namespaces need privileges");
        byte[] none = text("none");
        int made = c.mount(none, text("/"), none, RECURSIVE_PRIVATE, none);
        Assumptions.assumeTrue(made == 0, "mounts cannot be made private");
        int mounted = c.mount(none, text(target), text("tmpfs"), 0, text(options));
        Assumptions.assumeTrue(mounted == 0, "tmpfs cannot be mounted");
    }

    /** Allows this process so many descriptors, where that is allowed. */
    static boolean allowOpenFiles(long count) {
        UnsafeBuffer limit = new UnsafeBuffer(ByteBuffer.allocateDirect(2 * Long.BYTES));
        limit.putLong(0, count);
        limit.putLong(Long.BYTES, count);
        return load().setrlimit(OPEN_FILES, limit.addressOffset()) == 0;
    }

    static byte[] text(String text) {
        return FileNames.encodePath(text);
    }
}
