package io.quoin.brick.posix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.xlator.XlatorFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ManyFilesTest {
    private static final int FILES = 66_000;

    /** Where the limit cannot be raised. */
    private static final int FILES_UNPRIVILEGED = 3_000;

    @TempDir Path folder;

    @Test
    void shouldServeFilesWhenAsManyAreOpenAsTheKernelAllows() {
        int count = TestLibC.allowOpenFiles(FILES + 4_000) ? FILES : FILES_UNPRIVILEGED;
        try (TestBrick brick = TestBrick.open(folder.resolve("brick"))) {
            brick.create("disk.raw", 10);
            XlatorFile writer = brick.openFile("disk.raw");
            brick.drive(writer).write(0, new byte[] {1, 2, 3});
            brick.close(writer);
            List<XlatorFile> files = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                files.add(brick.openReadOnly("disk.raw"));
            }
            assertThat(((PosixFile) files.get(count - 1)).fd()).isGreaterThan(count - 1);
            assertThat(brick.drive(files.get(count - 1)).read(0, 4)).containsExactly(1, 2, 3, 0);
            files.forEach(brick::close);
        }
    }
}
