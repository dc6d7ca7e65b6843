package io.quoin.brick.posix;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The names in a folder, from getdents64. Its record, in the processor's byte order:
 *
 * <pre>
 *  offset  field
 *       0  u64 d_ino
 *       8  u64 d_off
 *      16  u16 d_reclen   bytes to the next record
 *      18  u8  d_type     may be unknown, so that it is not used
 *      19  d_name         ends with NUL
 * </pre>
 *
 * <p>Threading: thread-safe; blocks.
 */
final class FolderListing {
    private static final int BUFFER_BYTES = 64 * 1024;
    private static final int RECORD_LENGTH = 16;
    private static final int NAME = 19;

    private FolderListing() {}

    /** Every entry's name as the kernel has it, without its NUL. */
    static List<byte[]> names(int folderFd, String directory) {
        byte[] self = FileNames.encodePath(".");
        int flags = SystemCalls.O_RDONLY | SystemCalls.ABI.openDirectory();
        // opened again for a position of its own
        try (Descriptor folder = Descriptor.open(folderFd, self, flags, 0)) {
            if (!folder.isOpen()) {
                throw Errno.exception(
                        "list the brick folder", "directory=" + directory, folder.errno());
            }
            List<byte[]> names = new ArrayList<>();
            UnsafeBuffer records = new UnsafeBuffer(ByteBuffer.allocateDirect(BUFFER_BYTES));
            long filled = SystemCalls.getdents64(folder.fd(), records);
            while (filled > 0) {
                addAll(names, records, (int) filled);
                filled = SystemCalls.getdents64(folder.fd(), records);
            }
            if (filled < 0) {
                throw Errno.exception(
                        "list the brick folder", "directory=" + directory, (int) -filled);
            }
            return names;
        }
    }

    private static void addAll(List<byte[]> names, UnsafeBuffer records, int filled) {
        int record = 0;
        while (record < filled) {
            int length =
                    Short.toUnsignedInt(
                            records.getShort(record + RECORD_LENGTH, ByteOrder.nativeOrder()));
            byte[] name = new byte[length - NAME];
            records.getBytes(record + NAME, name);
            names.add(FileNames.untilNul(name));
            record += length;
        }
    }
}
