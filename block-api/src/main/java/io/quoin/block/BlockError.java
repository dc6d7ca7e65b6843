package io.quoin.block;

/**
 * How a request ended. The data path completes with one of these; the control path throws it in a
 * {@link BlockException}. The numbers are those of the NBD protocol (proto.md, "Error values"),
 * which are Linux's.
 *
 * <p>Threading: immutable.
 */
public enum BlockError {
    /** It was done. */
    OK(0, "done"),
    /** The device is read-only, or the caller may not do this. */
    EPERM(1, "operation not permitted"),
    /** No such file, disk or snapshot. Control path only. */
    ENOENT(2, "not found"),
    /** The storage below failed, or what it returned cannot be right. */
    EIO(5, "input/output error"),
    /** A bounded resource is used up. */
    ENOMEM(12, "out of memory"),
    /** In use by another, or did not come to rest in time. Control path only. */
    EBUSY(16, "busy"),
    /**
     * Fenced: another writer has taken over, and nothing of this one is carried out any more. Its
     * number is what Linux makes of a reservation conflict.
     */
    EBADE(52, "fenced: another writer has taken over"),
    /** It is already there. Control path only. */
    EEXIST(17, "already exists"),
    /** A range, flag, name or value that makes no sense here. */
    EINVAL(22, "invalid argument"),
    /** More than a format takes. Control path only. */
    EFBIG(27, "too large for the format"),
    /** No space is left below, or a quota is used up. */
    ENOSPC(28, "no space left"),
    /** The storage below became read-only. */
    EROFS(30, "read-only file system"),
    /** Too large for one answer. */
    EOVERFLOW(75, "value too large"),
    /** A valid request that this device cannot do. */
    ENOTSUP(95, "not supported"),
    /** There is no connection to the storage below. */
    ENOTCONN(107, "not connected"),
    /** The device is closing. */
    ESHUTDOWN(108, "shutting down"),
    /** The storage below has not answered in time; whether it was done is not known. */
    ETIMEDOUT(110, "timed out"),
    /** What it was opened as is not there any more: replaced, or of an earlier state. */
    ESTALE(116, "stale");

    private final int errno;
    private final String text;

    BlockError(int errno, String text) {
        this.errno = errno;
        this.text = text;
    }

    /** Linux's number. */
    public int errno() {
        return errno;
    }

    /** A few words for a person. */
    public String text() {
        return text;
    }

    /**
     * The number that may go on an NBD wire; errors that NBD does not know become the nearest that
     * it does.
     */
    public int nbdErrno() {
        return switch (this) {
            case ENOENT, EBUSY, EEXIST, EFBIG -> EINVAL.errno;
            case EROFS -> EPERM.errno;
            case EBADE, ENOTCONN, ETIMEDOUT, ESTALE -> EIO.errno;
            default -> errno;
        };
    }

    public boolean isOk() {
        return this == OK;
    }
}
