package io.quoin.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.testkit.sim.VirtualLoop;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.boundary.BoundaryXlator;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * What the tests of the contract stand on: the xlator behind a boundary, loops, files that are
 * closed in the end.
 *
 * <p>Threading: confined to the test.
 */
abstract class ContractBed {
    private final List<XlatorFile> openFiles = new ArrayList<>();
    private @Nullable VirtualLoopGroup group;
    private @Nullable Xlator xlator;

    /**
     * A fresh xlator without any files. It is put behind a boundary, and closed after the test.
     *
     * @param loops for a graph's context
     */
    protected abstract Xlator createXlator(VirtualLoopGroup loops) throws Exception;

    /** Loops to test on; may be random ones. */
    protected VirtualLoopGroup createLoops() {
        return new VirtualLoopGroup(1);
    }

    /** A name that the xlator takes for a file; names sort as their stems do. */
    protected String fileName(String stem) {
        return stem;
    }

    /** How files are created. */
    protected CreateOptions createOptions(long sizeBytes) {
        return CreateOptions.ofSize(sizeBytes);
    }

    /** Size of the files of most tests; a multiple of every block size in use. */
    protected int sizeBytes() {
        return 2049 * 512;
    }

    /** Whether files can be made smaller. */
    protected boolean canShrink() {
        return true;
    }

    /** How many operations a random sequence has. */
    protected int randomOperationCount() {
        return 1000;
    }

    @BeforeEach
    final void setUp() throws Exception {
        VirtualLoopGroup loops = createLoops();
        group = loops;
        xlator = new BoundaryXlator(createXlator(loops));
    }

    @AfterEach
    final void tearDown() {
        for (XlatorFile file : List.copyOf(openFiles)) {
            close(file);
        }
        await(xlator().close());
        group().close();
    }

    /** The xlator under test, behind its boundary. */
    protected final Xlator xlator() {
        Xlator made = xlator;
        if (made == null) {
            throw new AssertionError("no xlator has been made");
        }
        return made;
    }

    protected final VirtualLoopGroup group() {
        VirtualLoopGroup made = group;
        if (made == null) {
            throw new AssertionError("no loops have been made");
        }
        return made;
    }

    protected final VirtualLoop loop() {
        return group().loop(0);
    }

    protected final <T> T await(CompletionStage<T> stage) {
        return group().await(stage);
    }

    protected final void create(String stem) {
        await(xlator().create(fileName(stem), createOptions(sizeBytes())));
    }

    protected final XlatorFile open(String stem, OpenMode mode) {
        XlatorFile file = await(xlator().open(fileName(stem), OpenOptions.of(mode), loop()));
        openFiles.add(file);
        return file;
    }

    /** A file that the test has opened itself is closed after it. */
    protected final void track(XlatorFile file) {
        openFiles.add(file);
    }

    /** A new file, open for writing. */
    protected final FileDriver createAndOpen(String stem) {
        create(stem);
        return drive(open(stem, OpenMode.READ_WRITE));
    }

    protected final FileDriver drive(XlatorFile file) {
        return new FileDriver(file, loop());
    }

    protected final void close(XlatorFile file) {
        openFiles.remove(file);
        await(loop().call(file::close));
    }

    /** The test has closed the file itself. */
    protected final void forget(XlatorFile file) {
        openFiles.remove(file);
    }

    /** Closes the file, opens it again and gives its new driver. */
    protected final FileDriver reopen(FileDriver driver, OpenMode mode) {
        XlatorFile file = (XlatorFile) driver.device();
        close(file);
        XlatorFile again = await(xlator().open(file.fileName(), OpenOptions.of(mode), loop()));
        openFiles.add(again);
        return drive(again);
    }

    protected final void assertFails(CompletionStage<?> stage, BlockError error) {
        BlockException failure = catchThrowableOfType(BlockException.class, () -> await(stage));
        assertThat(failure).as("a stage that fails with %s", error).isNotNull();
        assertThat(failure.error()).as(failure.getMessage()).isEqualTo(error);
    }

    protected static byte[] pattern(int lengthBytes, long seed) {
        byte[] data = new byte[lengthBytes];
        new Random(seed).nextBytes(data);
        return data;
    }

    static boolean isPlain(@Nullable Object value) {
        if (value instanceof Map<?, ?> map) {
            return map.keySet().stream().allMatch(key -> key instanceof String)
                    && map.values().stream().allMatch(ContractBed::isPlain);
        }
        if (value instanceof List<?> list) {
            return list.stream().allMatch(ContractBed::isPlain);
        }
        return value == null
                || value instanceof String
                || value instanceof Number
                || value instanceof Boolean;
    }
}
