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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

    @ParameterizedTest
    @ValueSource(strings = {"precious", "123456789012345678901234567890123456789"})
    void shouldLeaveAFileAloneWhenItIsNoLock(String content) throws IOException {
        Path lock = Files.writeString(folder.resolve("quoin.lock"), content);
        assertRefused();
        assertThat(lock).hasContent(content);
    }

    @Test
    void shouldFollowNoLink() throws IOException {
        Path victim = Files.writeString(folder.resolve("victim"), "1");
        Path lock = folder.resolve("quoin.lock");
        Files.createSymbolicLink(lock, victim);
        assertRefused();
        Files.delete(lock);
        Files.createSymbolicLink(lock, folder.resolve("nothing"));
        assertRefused();
        Files.delete(lock);
        Files.createLink(lock, victim);
        assertRefused();
        assertThat(victim).hasContent("1");
        assertThat(folder.resolve("nothing")).doesNotExist();
    }

    private void assertRefused() {
        assertThatThrownBy(() -> FolderLock.acquire(new DataFolder(folder)))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("something else is where the lock file should be");
    }

    @Test
    void shouldTakeOverALockThatAnEarlierProcessHasLeft() throws IOException {
        Files.writeString(folder.resolve("quoin.lock"), "12345\n");
        try (FolderLock held = FolderLock.acquire(new DataFolder(folder))) {
            assertThat(held).isNotNull();
        }
        assertThat(folder.resolve("quoin.lock"))
                .hasContent(Long.toString(ProcessHandle.current().pid()));
    }
}
