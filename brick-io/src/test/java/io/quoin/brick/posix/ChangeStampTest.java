package io.quoin.brick.posix;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChangeStampTest {
    @TempDir private Path folder;

    @Test
    void shouldDifferWhenTheFileIsWrittenOrReplacedWhateverItsTimesAreSetTo() throws IOException {
        Path file = Files.writeString(folder.resolve("a"), "one");
        FileTime modified = Files.getLastModifiedTime(file);
        long first = later(file);
        assertThat(first).isNotZero().isEqualTo(later(file));

        Path other = Files.writeString(folder.resolve("b"), "two");
        Files.setLastModifiedTime(other, modified);
        Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
        assertThat(later(file)).isNotEqualTo(first);

        long second = later(file);
        Files.writeString(file, "longer");
        Files.setLastModifiedTime(file, modified);
        assertThat(later(file)).isNotEqualTo(second);
    }

    @Test
    void shouldBeUnknownWhileTheNextChangeMightHaveTheSameTime() throws IOException {
        Path file = Files.writeString(folder.resolve("a"), "one");
        FileStatus status = status(file);
        long changed = status.changeSeconds() * 1000;
        assertThat(ChangeStamp.of(status, changed)).isZero();
        assertThat(ChangeStamp.of(status, changed + 1999)).isZero();
        assertThat(ChangeStamp.of(status, changed - 3_600_000)).isZero();
        assertThat(ChangeStamp.of(status, changed + 2000)).isNotZero();
    }

    private static long later(Path file) {
        FileStatus status = status(file);
        return ChangeStamp.of(status, (status.changeSeconds() + 3600) * 1000);
    }

    private static FileStatus status(Path file) {
        FileStatus status = new FileStatus();
        byte[] path = FileNames.encodePath(file.toString());
        assertThat(status.ofName(SystemCalls.AT_FDCWD, path)).isZero();
        return status;
    }
}
