package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.NameText;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.UnfinishedNames;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The files of a brick by name. Each change is durable on return: first the file, then the folder.
 *
 * <p>Threading: thread-safe; blocks.
 */
final class Namespace {
    private static final int MODE_FILE = 0600;

    /** In a folder that is no brick; the process's mask takes off what it wants. */
    private static final int MODE_PLAIN_FILE = 0644;

    private static final String COPY_FROM = "copy_from";
    private static final Set<String> CREATE_OPTIONS = Set.of(Preallocation.OPTION, COPY_FROM);

    private static final int FLAGS_NEW =
            SystemCalls.O_RDWR
                    | SystemCalls.O_CREAT
                    | SystemCalls.O_EXCL
                    | SystemCalls.ABI.openNoFollow();

    private final Brick brick;
    private final AtomicLong newNames = new AtomicLong();

    Namespace(Brick brick) {
        this.brick = brick;
    }

    private int folderFd() {
        return brick.folder().fd();
    }

    List<FileInfo> list() {
        int folderFd = folderFd();
        List<FileInfo> files = new ArrayList<>();
        FileStatus status = new FileStatus();
        for (byte[] name : FolderListing.names(folderFd, brick.folder().directory())) {
            if (FileNames.isHidden(name)) {
                continue;
            }
            int found = status.ofName(folderFd, Arrays.copyOf(name, name.length + 1));
            if (found == 0 && status.isRegular()) {
                files.add(info(NameText.of(name), status));
            }
        }
        files.sort(Comparator.comparing(FileInfo::fileName));
        return files;
    }

    FileInfo stat(String fileName) {
        FileStatus status = new FileStatus();
        int found = status.ofName(folderFd(), FileNames.encode(fileName));
        if (found < 0) {
            throw Errno.exception("find the file", "file=" + fileName, -found);
        }
        requireRegular(fileName, status);
        return info(fileName, status);
    }

    private static FileInfo info(String fileName, FileStatus status) {
        return new FileInfo(
                fileName,
                status.sizeBytes(),
                status.allocatedBytes(),
                status.inode(),
                ChangeStamp.of(status, System.currentTimeMillis()));
    }

    /**
     * The file is made under another name in the brick's own folder and gets its name last, so that
     * a crash leaves no half of it.
     */
    void create(String fileName, CreateOptions options) {
        byte[] path = FileNames.encode(fileName);
        checkOptions(fileName, options);
        brick.names().acquireExclusive(fileName);
        try {
            if (new FileStatus().ofName(folderFd(), path) == 0) {
                throw failedCreate(fileName, options, Errno.EEXIST); // before the work is done
            }
            make(fileName, path, options);
            brick.folder().sync();
        } finally {
            brick.names().releaseExclusive(fileName);
        }
    }

    private void make(String fileName, byte[] path, CreateOptions options) {
        int ownFd = brick.folder().ownFolderFd();
        BrickFolder folder = brick.folder();
        byte[] newPath = FileNames.encodePath(folder.newName(newNames.incrementAndGet()));
        int mode = folder.isPlain() ? MODE_PLAIN_FILE : MODE_FILE;
        try (Descriptor file =
                UnfinishedNames.giving(() -> Descriptor.open(ownFd, newPath, FLAGS_NEW, mode))) {
            if (!file.isOpen()) {
                throw failedCreate(fileName, options, file.errno());
            }
            boolean made = false;
            try {
                folder.giveToOwner(file.fd());
                fill(file.fd(), fileName, options);
                int result =
                        UnfinishedNames.giving(
                                () ->
                                        SystemCalls.renameNoReplace(
                                                ownFd, newPath, folderFd(), path));
                if (result < 0) {
                    throw failedCreate(fileName, options, -result);
                }
                made = true;
            } finally {
                if (!made) {
                    SystemCalls.unlinkat(ownFd, newPath);
                }
            }
        }
    }

    private static BlockException failedCreate(String fileName, CreateOptions options, int errno) {
        String subject = "file=" + fileName + ", sizeBytes=" + options.sizeBytes();
        return Errno.exception("create the file", subject, errno);
    }

    private static void checkOptions(String fileName, CreateOptions options) {
        for (String name : options.options().keySet()) {
            if (!CREATE_OPTIONS.contains(name)) {
                throw new BlockException(
                        BlockError.EINVAL,
                        "unknown option for a new file: file="
                                + fileName
                                + ", option="
                                + name
                                + ", expected=one of "
                                + String.join(", ", CREATE_OPTIONS.stream().sorted().toList()));
            }
        }
        preallocation(options);
        if (options.sizeBytes() < 0) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "size cannot be negative: file="
                            + fileName
                            + ", sizeBytes="
                            + options.sizeBytes());
        }
    }

    private static Preallocation preallocation(CreateOptions options) {
        return Preallocation.of(options.options().getOrDefault(Preallocation.OPTION, "off"));
    }

    private void fill(int fd, String fileName, CreateOptions options) {
        String source = options.options().get(COPY_FROM);
        if (source != null) {
            copyInto(fd, source, options.sizeBytes());
        }
        int result = SystemCalls.ftruncate(fd, options.sizeBytes());
        if (result == 0) {
            result = preallocation(options).apply(fd, 0, options.sizeBytes());
        }
        if (result == 0) {
            result = SystemCalls.fsync(fd);
        }
        if (result < 0) {
            throw failedCreate(fileName, options, -result);
        }
    }

    /** The source must not be open for writing, so that the copy is of one instant. */
    private void copyInto(int fd, String source, long sizeBytes) {
        byte[] path = FileNames.encode(source);
        brick.names().acquireExclusive(source);
        try (Descriptor file = openRegular(source, path, SystemCalls.O_RDONLY)) {
            ImageLock lock = lockToRead(source, file.fd());
            try {
                copyInto(fd, source, file.fd(), sizeBytes);
            } finally {
                if (lock != null) {
                    lock.close();
                }
            }
        } finally {
            brick.names().releaseExclusive(source);
        }
    }

    private static void copyInto(int fd, String source, int sourceFd, long sizeBytes) {
        FileStatus status = statusOf(source, sourceFd);
        if (status.sizeBytes() > sizeBytes) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "copy would be smaller than its source: source="
                            + source
                            + ", expected=at least "
                            + status.sizeBytes()
                            + " bytes, actual="
                            + sizeBytes);
        }
        int result = RangeCopy.copyFile(sourceFd, fd, status.sizeBytes());
        if (result < 0) {
            throw Errno.exception("copy the file", "source=" + source, -result);
        }
    }

    void rename(String fileName, String newFileName) {
        byte[] path = FileNames.encode(fileName);
        byte[] newPath = FileNames.encode(newFileName);
        brick.names().acquireExclusive(fileName);
        try {
            stat(fileName);
            int result =
                    UnfinishedNames.giving(
                            () ->
                                    SystemCalls.renameNoReplace(
                                            folderFd(), path, folderFd(), newPath));
            if (result < 0) {
                String subject = "file=" + fileName + ", to=" + newFileName;
                throw Errno.exception("rename the file", subject, -result);
            }
            brick.folder().sync();
        } finally {
            brick.names().releaseExclusive(fileName);
        }
    }

    /** Both are locked against other programs until the one has the other's name. */
    void replace(String fileName, String byFileName) {
        byte[] path = FileNames.encode(fileName);
        byte[] byPath = FileNames.encode(byFileName);
        brick.names().acquireExclusive(fileName);
        try {
            brick.names().acquireExclusive(byFileName);
            try {
                replaceUnused(fileName, path, byFileName, byPath);
                brick.folder().sync();
            } finally {
                brick.names().releaseExclusive(byFileName);
            }
        } finally {
            brick.names().releaseExclusive(fileName);
        }
    }

    private void replaceUnused(String fileName, byte[] path, String byFileName, byte[] byPath) {
        try (Descriptor file = openRegular(fileName, path, SystemCalls.O_RDONLY);
                Descriptor by = openRegular(byFileName, byPath, SystemCalls.O_RDONLY);
                ImageLock lock = lockToRead(fileName, file.fd());
                ImageLock byLock = lockToRead(byFileName, by.fd())) {
            if (lock != null) {
                lock.addWriter();
            }
            if (byLock != null) {
                byLock.addWriter();
            }
            int result =
                    UnfinishedNames.giving(
                            () -> SystemCalls.rename(folderFd(), byPath, folderFd(), path));
            if (result < 0) {
                String subject = "file=" + fileName + ", by=" + byFileName;
                throw Errno.exception("replace the file", subject, -result);
            }
        }
    }

    /** Of the file system that the folder is on. */
    StorageSpace space() {
        // Through the descriptor: the folder's path may lead elsewhere by now.
        Path folder = Path.of("/proc/self/fd/" + folderFd());
        try {
            FileStore store = Files.getFileStore(folder);
            return new StorageSpace(store.getTotalSpace(), store.getUsableSpace());
        } catch (IOException e) {
            throw Reason.failure(
                    "space of the file system cannot be told",
                    brick.folder().directory().toString(),
                    e);
        }
    }

    void remove(String fileName) {
        byte[] path = FileNames.encode(fileName);
        brick.names().acquireExclusive(fileName);
        try {
            removeUnused(fileName, path);
            brick.folder().sync();
        } finally {
            brick.names().releaseExclusive(fileName);
        }
    }

    /** By no other program either; locked until the name is gone. */
    private void removeUnused(String fileName, byte[] path) {
        try (Descriptor file = openRegular(fileName, path, SystemCalls.O_RDONLY);
                ImageLock lock = lockToRead(fileName, file.fd())) {
            if (lock != null) {
                lock.addWriter();
            }
            int result = SystemCalls.unlinkat(folderFd(), path);
            if (result < 0) {
                throw Errno.exception("remove the file", "file=" + fileName, -result);
            }
        }
    }

    private @Nullable ImageLock lockToRead(String fileName, int fd) {
        return brick.options().locking() ? ImageLock.reader(fileName, fd) : null;
    }

    /** Opens a file for its data path; the descriptor is the caller's to close. */
    Descriptor open(String fileName, OpenMode mode) {
        boolean direct = brick.options().directIo();
        int flags = mode == OpenMode.READ_WRITE ? SystemCalls.O_RDWR : SystemCalls.O_RDONLY;
        Descriptor file =
                openRegular(
                        fileName,
                        FileNames.encode(fileName),
                        direct ? flags | SystemCalls.ABI.openDirect() : flags);
        if (!direct) {
            SystemCalls.fadvise(file.fd(), 0, 0, SystemCalls.FADVISE_RANDOM);
        }
        return file;
    }

    /** The size of a file that {@link #open} opened. */
    long sizeBytes(String fileName, int fd) {
        return statusOf(fileName, fd).sizeBytes();
    }

    private Descriptor openRegular(String fileName, byte[] path, int flags) {
        // NONBLOCK: a FIFO of that name would wait for its other end before it could be refused.
        Descriptor file =
                Descriptor.open(
                        folderFd(),
                        path,
                        flags | SystemCalls.O_NONBLOCK | SystemCalls.ABI.openNoFollow(),
                        0);
        if (!file.isOpen()) {
            FileStatus status = new FileStatus();
            if (status.ofName(folderFd(), path) == 0) {
                requireRegular(fileName, status);
            }
            throw Errno.exception("open the file", "file=" + fileName, file.errno());
        }
        boolean opened = false;
        try {
            requireRegular(fileName, statusOf(fileName, file.fd()));
            opened = true;
            return file;
        } finally {
            if (!opened) {
                file.close();
            }
        }
    }

    private static FileStatus statusOf(String fileName, int fd) {
        FileStatus status = new FileStatus();
        int found = status.ofOpenFile(fd);
        if (found < 0) {
            throw Errno.exception("ask for the file's size", "file=" + fileName, -found);
        }
        return status;
    }

    private static void requireRegular(String fileName, FileStatus status) {
        if (!status.isRegular()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "not a regular file: file="
                            + fileName
                            + ", actual="
                            + (status.isSymbolicLink() ? "a symbolic link" : "something else"));
        }
    }
}
