package io.quoin.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.quoin.block.BlockError;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.FilePage;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.XlatorFile;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The part of the contract that is about names.
 *
 * <p>Threading: confined to the test.
 */
abstract class NamespaceContract extends ContractBed {
    @Test
    void shouldListSortedWhenFilesWereCreated() {
        create("b");
        create("a");
        create("c");
        assertThat(await(xlator().list()))
                .extracting(FileInfo::fileName)
                .containsExactly(fileName("a"), fileName("b"), fileName("c"));
        assertThat(await(xlator().list())).allMatch(info -> info.sizeBytes() == sizeBytes());
    }

    @Test
    void shouldListNothingWhenNothingWasCreated() {
        assertThat(await(xlator().list())).isEmpty();
    }

    @Test
    void shouldTellItsSizeWhenCreated() {
        create("a");
        FileInfo info = await(xlator().stat(fileName("a")));
        assertThat(info.fileName()).isEqualTo(fileName("a"));
        assertThat(info.sizeBytes()).isEqualTo(sizeBytes());
        assertThat(info.allocatedBytes()).isNotNegative();
    }

    @Test
    void shouldRefuseToReplaceWhenCreatedTwice() {
        create("a");
        assertFails(xlator().create(fileName("a"), createOptions(sizeBytes())), BlockError.EEXIST);
    }

    @Test
    void shouldSayNotFoundWhenThereIsNoSuchFile() {
        String missing = fileName("missing");
        assertFails(xlator().stat(missing), BlockError.ENOENT);
        assertFails(xlator().open(missing, OpenOptions.READ_WRITE, loop()), BlockError.ENOENT);
        assertFails(xlator().open(missing, OpenOptions.READ_ONLY, loop()), BlockError.ENOENT);
        assertFails(xlator().remove(missing), BlockError.ENOENT);
        assertFails(xlator().rename(missing, fileName("other")), BlockError.ENOENT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "a/b", "/etc/passwd", "../a", "nul\0"})
    void shouldRefuseNamesWhenTheyAreNone(String name) {
        create("a");
        assertFails(xlator().create(name, createOptions(sizeBytes())), BlockError.EINVAL);
        assertFails(xlator().stat(name), BlockError.EINVAL);
        assertFails(xlator().open(name, OpenOptions.READ_WRITE, loop()), BlockError.EINVAL);
        assertFails(xlator().rename(fileName("a"), name), BlockError.EINVAL);
        assertFails(xlator().rename(name, fileName("b")), BlockError.EINVAL);
        assertFails(xlator().remove(name), BlockError.EINVAL);
    }

    @Test
    void shouldRefuseWhenTheSizeIsNegative() {
        assertFails(xlator().create(fileName("a"), createOptions(-1)), BlockError.EINVAL);
        assertThat(await(xlator().list())).isEmpty();
    }

    @Test
    void shouldRefuseWhenACreateOptionIsUnknown() {
        Map<String, String> options = new HashMap<>(createOptions(sizeBytes()).options());
        options.put("no-such-option", "1");
        assertFails(
                xlator().create(fileName("a"), new CreateOptions(sizeBytes(), options)),
                BlockError.EINVAL);
        assertThat(await(xlator().list())).isEmpty();
    }

    @Test
    void shouldKeepTheContentWhenRenamed() {
        FileDriver driver = createAndOpen("a");
        driver.write(512, pattern(512, 1));
        close((XlatorFile) driver.device());
        await(xlator().rename(fileName("a"), fileName("b")));
        assertFails(xlator().stat(fileName("a")), BlockError.ENOENT);
        FileDriver renamed = drive(open("b", OpenMode.READ_WRITE));
        assertThat(renamed.read(512, 512)).isEqualTo(pattern(512, 1));
    }

    @Test
    void shouldRefuseToReplaceWhenRenamed() {
        create("a");
        create("b");
        assertFails(xlator().rename(fileName("a"), fileName("b")), BlockError.EEXIST);
        assertThat(await(xlator().list())).hasSize(2);
    }

    @Test
    void shouldTakeThePlaceOfAnotherWhenItReplacesIt() {
        FileDriver driver = createAndOpen("a");
        driver.write(512, pattern(512, 1));
        close((XlatorFile) driver.device());
        create("b");
        await(xlator().replace(fileName("b"), fileName("a")));
        assertThat(await(xlator().list()))
                .extracting(FileInfo::fileName)
                .containsExactly(fileName("b"));
        assertThat(drive(open("b", OpenMode.READ_WRITE)).read(512, 512)).isEqualTo(pattern(512, 1));
    }

    @Test
    void shouldReplaceNothingThatIsOpenOrNotThere() {
        create("a");
        create("b");
        XlatorFile file = open("a", OpenMode.READ_WRITE);
        assertFails(xlator().replace(fileName("a"), fileName("b")), BlockError.EBUSY);
        assertFails(xlator().replace(fileName("b"), fileName("a")), BlockError.EBUSY);
        close(file);
        assertFails(xlator().replace(fileName("a"), fileName("c")), BlockError.ENOENT);
        assertFails(xlator().replace(fileName("c"), fileName("a")), BlockError.ENOENT);
        assertFails(xlator().replace(fileName("a"), fileName("a")), BlockError.EINVAL);
        assertThat(await(xlator().list())).hasSize(2);
    }

    @Test
    void shouldListAPageAtATime() {
        List<String> stems = List.of("a", "b", "c", "d", "e");
        stems.forEach(this::create);
        List<String> seen = new ArrayList<>();
        FilePage page = await(xlator().list("", 2));
        while (!page.isLast()) {
            assertThat(page.files()).hasSize(2);
            page.files().forEach(file -> seen.add(file.fileName()));
            page = await(xlator().list(seen.get(seen.size() - 1), 2));
        }
        page.files().forEach(file -> seen.add(file.fileName()));
        assertThat(seen).containsExactlyElementsOf(stems.stream().map(this::fileName).toList());
        assertThat(await(xlator().list("", 5)).isLast()).isTrue();
        assertFails(xlator().list("", 0), BlockError.EINVAL);
    }

    @Test
    void shouldTellTheSpaceBelow() {
        StorageSpace space = await(xlator().statfs());
        assertThat(space.sizeBytes()).isPositive();
        assertThat(space.availableBytes()).isBetween(0L, space.sizeBytes());
    }

    /** Where it is known at all. */
    @Test
    void shouldKeepTheIdOfAFileUnderAnotherName() {
        create("a");
        create("b");
        long id = await(xlator().stat(fileName("a"))).fileId();
        assumeTrue(id != 0);
        assertThat(await(xlator().stat(fileName("b"))).fileId()).isNotEqualTo(id);
        await(xlator().rename(fileName("a"), fileName("c")));
        assertThat(await(xlator().stat(fileName("c"))).fileId()).isEqualTo(id);
    }

    @Test
    void shouldBeGoneWhenRemoved() {
        create("a");
        create("b");
        await(xlator().remove(fileName("a")));
        assertThat(await(xlator().list()))
                .extracting(FileInfo::fileName)
                .containsExactly(fileName("b"));
        assertFails(xlator().stat(fileName("a")), BlockError.ENOENT);
        create("a");
        assertThat(drive(open("a", OpenMode.READ_WRITE)).read(0, 512)).isEqualTo(new byte[512]);
    }

    @Test
    void shouldBeBusyWhenOpenForWriting() {
        create("a");
        XlatorFile file = open("a", OpenMode.READ_WRITE);
        assertFails(xlator().open(fileName("a"), OpenOptions.READ_WRITE, loop()), BlockError.EBUSY);
        assertFails(xlator().remove(fileName("a")), BlockError.EBUSY);
        close(file);
        close(open("a", OpenMode.READ_WRITE));
        await(xlator().remove(fileName("a")));
    }

    @Test
    void shouldOpenOnItsLoopWhenAsked() {
        create("a");
        AtomicBoolean wasInLoop = new AtomicBoolean();
        CompletableFuture<XlatorFile> opened = new CompletableFuture<>();
        loop().execute(
                        () ->
                                xlator().open(fileName("a"), OpenOptions.READ_WRITE, loop())
                                        .whenComplete(
                                                (file, failure) -> {
                                                    wasInLoop.set(loop().inLoop());
                                                    complete(opened, file, failure);
                                                }));
        close(await(opened));
        assertThat(wasInLoop).isTrue();
    }

    private static void complete(
            CompletableFuture<XlatorFile> opened, XlatorFile file, @Nullable Throwable failure) {
        if (failure == null) {
            opened.complete(file);
        } else {
            opened.completeExceptionally(failure);
        }
    }
}
