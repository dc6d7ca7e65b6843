package io.quoin.brick.posix;

import io.quoin.xlator.NameText;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Objects;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A folder that {@link DurableFile} works in. Symbolic links in it are never followed.
 *
 * <p>Threading: confined to its user.
 */
final class PosixFolder implements DurableFile.Folder {
    private static final int MODE_FILE = 0600;

    private final String directory;
    private final Descriptor folder;

    private PosixFolder(String directory, Descriptor folder) {
        this.directory = directory;
        this.folder = folder;
    }

    /** The folder that {@code file} lies in. */
    static PosixFolder of(Path file) {
        Path folder = Objects.requireNonNull(NameText.absolute(file).getParent());
        return new PosixFolder(NameText.of(folder), PrivateFolder.open(folder));
    }

    @Override
    public void make(String name) {
        int flags = SystemCalls.O_RDWR | SystemCalls.O_CREAT | SystemCalls.O_EXCL;
        try (Descriptor made = open(name, flags)) {
            boolean given = false;
            try {
                FolderOwner.give(made.fd(), folder.fd(), directory);
                given = true;
            } finally {
                if (!given) {
                    remove(name);
                }
            }
        }
    }

    @Override
    public void write(String name, byte[] content) {
        try (Descriptor file = open(name, SystemCalls.O_RDWR)) {
            UnsafeBuffer bytes = new UnsafeBuffer(ByteBuffer.allocateDirect(content.length));
            bytes.putBytes(0, content);
            int done = 0;
            while (done < content.length) {
                long address = bytes.addressOffset() + done;
                long count = SystemCalls.pwrite(file.fd(), address, content.length - done, done);
                check("write the file", name, (int) count);
                done += (int) count;
            }
        }
    }

    @Override
    public void flush(String name) {
        try (Descriptor file = open(name, SystemCalls.O_RDONLY)) {
            check("flush the file", name, SystemCalls.fsync(file.fd()));
        }
    }

    @Override
    public void rename(String name, String newName, boolean replacing) {
        byte[] from = FileNames.encode(name);
        byte[] to = FileNames.encode(newName);
        int fd = folder.fd();
        check(
                "put the file in its place",
                newName,
                replacing
                        ? SystemCalls.rename(fd, from, fd, to)
                        : SystemCalls.renameNoReplace(fd, from, fd, to));
    }

    @Override
    public void remove(String name) {
        check("remove the file", name, SystemCalls.unlinkat(folder.fd(), FileNames.encode(name)));
    }

    @Override
    public void flush() {
        PrivateFolder.sync(folder.fd(), directory);
    }

    private Descriptor open(String name, int flags) {
        int all = flags | SystemCalls.O_NONBLOCK | SystemCalls.ABI.openNoFollow();
        Descriptor file = Descriptor.open(folder.fd(), FileNames.encode(name), all, MODE_FILE);
        check("open the file", name, -file.errno());
        return file;
    }

    private void check(String action, String name, int result) {
        if (result < 0) {
            String subject = "path=" + directory + "/" + NameText.printable(name);
            throw Errno.exception(action, subject, -result);
        }
    }

    @Override
    public void close() {
        folder.close();
    }
}
