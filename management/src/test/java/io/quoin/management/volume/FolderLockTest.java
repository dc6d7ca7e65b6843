package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class FolderLockTest {
    @TempDir private Path folder;

    @Test
    void shouldNameTheHolderWhenTheFolderIsTaken() {
        String pid = Long.toString(ProcessHandle.current().pid());
        try (FolderLock held = FolderLock.acquire(new DataFolder(folder))) {
            assertThat(held).isNotNull();
            assertThatThrownBy(() -> FolderLock.acquire(new DataFolder(folder)))
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("pid=" + pid)
                    .hasMessageContaining(folder.toString());
        }
        assertThat(folder.resolve("quoin.lock")).hasContent(pid);
        FolderLock.acquire(new DataFolder(folder)).close();
    }

    @Test
    void shouldKnowTheFolderByWhateverPath() throws IOException {
        Path real = Files.createDirectory(folder.resolve("real"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), real);
        try (FolderLock held = FolderLock.acquire(new DataFolder(real))) {
            assertThat(held).isNotNull();
            assertThatThrownBy(() -> FolderLock.acquire(new DataFolder(link)))
                    .isInstanceOf(BlockException.class);
        }
    }

    @Test
    void shouldSayWhatToDoWhenTheFolderCannotBeMade() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        assertThatThrownBy(() -> FolderLock.acquire(new DataFolder(file.resolve("below"))))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("--data");
    }
}
