package io.quoin.block;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Locale;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the JDK's exceptions mean in a user's words, and which {@link BlockError} they are. Their
 * own messages are often no more than a path, the name of a class, or nothing.
 *
 * <p>Threading: immutable.
 */
public final class Reason {
    private static final String INTERNAL = "internal error of Quoin";

    /** Text that only a programmer has a use for. */
    private static final Pattern NOT_FOR_USERS =
            Pattern.compile("Exception|\\bjavax?\\.|\\bio\\.(quoin|netty)\\.|\\bnull\\b");

    /** As in {@code connect(..) failed with error(-111): Connection refused}. */
    private static final String CALL_OF_NETTY =
            "^\\w+\\(\\.\\.\\) failed( with error\\(-?\\d+\\))?: ";

    private Reason() {}

    /** A control path's failure: {@code what: path=..., reason=...}. */
    public static BlockException failure(String what, String path, Throwable cause) {
        return new BlockException(
                errorOf(cause), what + ": path=" + path + ", reason=" + of(cause), cause);
    }

    /** Why it failed, in words; never empty, and never the name of a class. */
    public static String of(Throwable failure) {
        Throwable cause = unwrapped(failure);
        String known = known(cause);
        if (known != null) {
            return known;
        }
        String message =
                cause instanceof FileSystemException e ? e.getReason() : cause.getMessage();
        return message == null || message.isBlank() || NOT_FOR_USERS.matcher(message).find()
                ? INTERNAL
                : message.replaceFirst(CALL_OF_NETTY, "");
    }

    private static @Nullable String known(Throwable cause) {
        if (cause instanceof NoSuchFileException) {
            return "no such file or folder";
        }
        if (cause instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (cause instanceof FileAlreadyExistsException) {
            return "there is a file of that name already";
        }
        if (cause instanceof DirectoryNotEmptyException) {
            return "the folder is not empty";
        }
        if (cause instanceof NotDirectoryException) {
            return "not a folder";
        }
        if (cause instanceof ClosedChannelException) {
            return "closed meanwhile";
        }
        if (cause instanceof EOFException) {
            return "ended early";
        }
        if (cause instanceof UnknownHostException) {
            return "unknown host";
        }
        if (cause instanceof TimeoutException || cause instanceof SocketTimeoutException) {
            return "no answer in time";
        }
        return null;
    }

    /** The error that it is; EIO where it is no other for certain. */
    public static BlockError errorOf(Throwable failure) {
        Throwable cause = unwrapped(failure);
        if (cause instanceof BlockException e) {
            return e.error();
        }
        if (cause instanceof NoSuchFileException || cause instanceof FileNotFoundException) {
            return BlockError.ENOENT;
        }
        if (cause instanceof AccessDeniedException) {
            return BlockError.EPERM;
        }
        if (cause instanceof FileAlreadyExistsException) {
            return BlockError.EEXIST;
        }
        if (cause instanceof NotDirectoryException) {
            return BlockError.EINVAL;
        }
        return byKernelWords(String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT));
    }

    /** The JDK hands most error numbers on as strerror's text alone. */
    private static BlockError byKernelWords(String message) {
        if (message.contains("no space left")
                || message.contains("disk quota exceeded")
                || message.contains("file too large")) {
            return BlockError.ENOSPC;
        }
        if (message.contains("permission denied") || message.contains("not permitted")) {
            return BlockError.EPERM;
        }
        if (message.contains("read-only file system")) {
            return BlockError.EROFS;
        }
        return message.contains("a directory") ? BlockError.EINVAL : BlockError.EIO;
    }

    private static Throwable unwrapped(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException
                        || cause instanceof ExecutionException
                        || cause instanceof UncheckedIOException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }
}
