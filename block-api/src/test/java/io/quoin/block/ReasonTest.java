package io.quoin.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(10)
class ReasonTest {
    private static Stream<Arguments> failures() {
        return Stream.of(
                arguments(
                        new NoSuchFileException("x"), BlockError.ENOENT, "no such file or folder"),
                arguments(
                        new FileNotFoundException("x (No such file or directory)"),
                        BlockError.ENOENT,
                        "x (No such file or directory)"),
                arguments(new AccessDeniedException("x"), BlockError.EPERM, "permission denied"),
                arguments(
                        new FileAlreadyExistsException("x"),
                        BlockError.EEXIST,
                        "there is a file of that name already"),
                arguments(
                        new DirectoryNotEmptyException("x"),
                        BlockError.EIO,
                        "the folder is not empty"),
                arguments(new NotDirectoryException("x"), BlockError.EINVAL, "not a folder"),
                arguments(
                        new FileSystemException("x", null, "Is a directory"),
                        BlockError.EINVAL,
                        "Is a directory"),
                arguments(
                        new FileSystemException("x", null, "Read-only file system"),
                        BlockError.EROFS,
                        "Read-only file system"),
                arguments(
                        new IOException("No space left on device"),
                        BlockError.ENOSPC,
                        "No space left on device"),
                arguments(new IOException("File too large"), BlockError.ENOSPC, "File too large"),
                arguments(
                        new IOException("Permission denied"),
                        BlockError.EPERM,
                        "Permission denied"),
                arguments(new ClosedChannelException(), BlockError.EIO, "closed meanwhile"),
                arguments(new AsynchronousCloseException(), BlockError.EIO, "closed meanwhile"),
                arguments(new EOFException(), BlockError.EIO, "ended early"),
                arguments(new UnknownHostException("my_host"), BlockError.EIO, "unknown host"),
                arguments(new TimeoutException(), BlockError.EIO, "no answer in time"),
                arguments(new SocketTimeoutException("x"), BlockError.EIO, "no answer in time"),
                arguments(
                        new IOException("connect(..) failed with error(-111): Connection refused"),
                        BlockError.EIO,
                        "Connection refused"),
                arguments(new IOException(), BlockError.EIO, "internal error of Quoin"),
                arguments(
                        new IOException(new NullPointerException()),
                        BlockError.EIO,
                        "internal error of Quoin"),
                arguments(
                        new NullPointerException(
                                "Cannot invoke \"java.util.Map.get(Object)\" because \"m\" is null"),
                        BlockError.EIO,
                        "internal error of Quoin"),
                arguments(
                        new ExecutionException(
                                new CompletionException(
                                        new UncheckedIOException(new NoSuchFileException("x")))),
                        BlockError.ENOENT,
                        "no such file or folder"),
                arguments(
                        new CompletionException(new BlockException(BlockError.EBUSY, "in use")),
                        BlockError.EBUSY,
                        "in use"));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void shouldSayInWordsWhatTheJdkSaysInClasses(Throwable failure, BlockError error, String text) {
        assertThat(Reason.of(failure)).isEqualTo(text);
        assertThat(Reason.errorOf(failure)).isEqualTo(error);
        assertThat(Reason.failure("cannot open", "/a", failure))
                .hasMessage("cannot open: path=/a, reason=" + text)
                .extracting(BlockException::error)
                .isEqualTo(error);
    }

    @Test
    void shouldTellAFileOnceWhenItIsNamedOnTheWay() {
        BlockException failure =
                new BlockException(BlockError.EINVAL, "no magic").about("mid").about("top");

        assertThat(failure).hasMessage("mid: no magic");
        assertThat(failure.error()).isEqualTo(BlockError.EINVAL);
    }
}
