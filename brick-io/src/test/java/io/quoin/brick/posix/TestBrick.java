package io.quoin.brick.posix;

import io.quoin.testkit.FileDriver;
import io.quoin.testkit.sim.VirtualLoop;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.OptionValues;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.IntUnaryOperator;

/** A brick on a real folder, driven by a virtual loop: blocking calls for tests. */
final class TestBrick implements AutoCloseable {
    private final VirtualLoopGroup loops = new VirtualLoopGroup(1);
    private final PosixXlator xlator;

    private TestBrick(Path directory, Map<String, String> options, IntUnaryOperator dataSync) {
        Map<String, String> given = new HashMap<>(options);
        given.put("directory", directory.toString());
        GraphContext context =
                new GraphContext(loops, loops.blocking(), directory.toAbsolutePath().getParent());
        OptionValues values = new OptionValues(PosixOptions.TABLE, given);
        PosixOptions posixOptions = PosixOptions.of(values, context.directory());
        xlator = PosixXlator.open("brick", posixOptions, context.blocking(), dataSync);
    }

    static TestBrick open(Path directory) {
        return open(directory, Map.of());
    }

    static TestBrick open(Path directory, Map<String, String> options) {
        return new TestBrick(directory, options, SystemCalls::fdatasync);
    }

    static TestBrick open(Path directory, IntUnaryOperator dataSync) {
        return new TestBrick(directory, Map.of(), dataSync);
    }

    PosixXlator xlator() {
        return xlator;
    }

    VirtualLoop loop() {
        return loops.loop(0);
    }

    <T> T await(CompletionStage<T> stage) {
        return loops.await(stage);
    }

    void create(String fileName, long sizeBytes) {
        await(xlator.create(fileName, CreateOptions.ofSize(sizeBytes)));
    }

    XlatorFile openFile(String fileName) {
        return await(xlator.open(fileName, OpenOptions.READ_WRITE, loop()));
    }

    XlatorFile openReadOnly(String fileName) {
        return await(xlator.open(fileName, OpenOptions.READ_ONLY, loop()));
    }

    FileDriver drive(XlatorFile file) {
        return new FileDriver(file, loop());
    }

    void close(XlatorFile file) {
        await(loop().call(file::close));
    }

    void resize(XlatorFile file, long sizeBytes) {
        await(loop().call(() -> file.resize(sizeBytes)));
    }

    @Override
    public void close() {
        await(xlator.close());
    }
}
