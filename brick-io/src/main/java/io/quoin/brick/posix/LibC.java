package io.quoin.brick.posix;

import jnr.ffi.annotations.In;

/**
 * The C library's functions that this package uses, with addresses as numbers. {@link SystemCalls}
 * is the way to call them.
 *
 * <p>No function here has six integer parameters: on x86-64 the sixth would arrive as garbage.
 * Those are called by {@link #syscall}, which has seven.
 */
public interface LibC {
    int openat(int directoryFd, @In byte[] path, int flags, int mode);

    int close(int fd);

    int mkdirat(int directoryFd, @In byte[] path, int mode);

    int fchmod(int fd, int mode);

    int fchown(int fd, int owner, int group);

    int geteuid();

    int renameat(int oldDirectoryFd, @In byte[] oldPath, int newDirectoryFd, @In byte[] newPath);

    int unlinkat(int directoryFd, @In byte[] path, int flags);

    int renameat2(
            int oldDirectoryFd,
            @In byte[] oldPath,
            int newDirectoryFd,
            @In byte[] newPath,
            int flags);

    int linkat(
            int oldDirectoryFd,
            @In byte[] oldPath,
            int newDirectoryFd,
            @In byte[] newPath,
            int flags);

    int statx(int directoryFd, @In byte[] path, int flags, int mask, long statxAddress);

    int fstatfs(int fd, long statfsAddress);

    int flock(int fd, int operation);

    int fcntl(int fd, int command, long argument);

    long pread(int fd, long address, long lengthBytes, long offsetBytes);

    long pwrite(int fd, long address, long lengthBytes, long offsetBytes);

    long preadv2(int fd, long iovecAddress, int iovecCount, long offsetBytes, int flags);

    long pwritev(int fd, long iovecAddress, int iovecCount, long offsetBytes);

    long pwritev2(int fd, long iovecAddress, int iovecCount, long offsetBytes, int flags);

    int fallocate(int fd, int mode, long offsetBytes, long lengthBytes);

    int ftruncate(int fd, long sizeBytes);

    int fdatasync(int fd);

    int fsync(int fd);

    int posix_fadvise(int fd, long offsetBytes, long lengthBytes, int advice);

    long readahead(int fd, long offsetBytes, long lengthBytes);

    long lseek(int fd, long offsetBytes, int whence);

    int ioctl(int fd, long request, long argument);

    int getsockopt(int fd, int level, int name, long valueAddress, long lengthAddress);

    int getsockname(int fd, long addressAddress, long lengthAddress);

    int socket(int domain, int type, int protocol);

    int connect(int fd, @In byte[] address, int lengthBytes);

    long send(int fd, @In byte[] message, long lengthBytes, int flags);

    long syscall(long number, long a, long b, long c, long d, long e, long f);
}
