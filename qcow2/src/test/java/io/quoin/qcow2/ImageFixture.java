package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.compress.CompressionWorkers;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.memory.ProcessMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A volume of images over a brick in memory, on a virtual loop, and QEMU's view of its files. */
public final class ImageFixture {
    public final VirtualLoopGroup loops = new VirtualLoopGroup(1);
    public final MemoryXlator brick;
    public final Xlator volume;
    private final Path folder;

    public ImageFixture(Path folder) {
        this(folder, new MemoryXlator("brick"), Map.of());
    }

    /** One whose brick delays and reorders completions. */
    public static ImageFixture reordering(Path folder, long seed, Map<String, String> options) {
        MemoryXlator brick = new MemoryXlator("brick");
        return new ImageFixture(
                folder, brick, new ReorderingXlator("reorder", brick, seed), options);
    }

    /** The same files over a brick that delays and reorders completions. */
    public ImageFixture reordering(long seed) {
        return new ImageFixture(
                folder, brick, new ReorderingXlator("reorder", brick, seed), Map.of());
    }

    public ImageFixture(Path folder, MemoryXlator brick, Map<String, String> options) {
        this(folder, brick, brick, options);
    }

    public ImageFixture(
            Path folder, MemoryXlator brick, Xlator below, Map<String, String> options) {
        this(folder, brick, below, options, ProcessMemory.ofDefault());
    }

    /** One whose images have so much memory. */
    public ImageFixture(
            Path folder,
            MemoryXlator brick,
            Xlator below,
            Map<String, String> options,
            ProcessMemory memory) {
        this.folder = folder;
        this.brick = brick;
        // On the virtual loops' own thread, so that a run repeats with its seed.
        Qcow2Type type = new Qcow2Type((name, threads) -> CompressionWorkers.on(loops.blocking()));
        this.volume =
                type.create(
                        "images",
                        new OptionValues(type.options(), options),
                        List.of(below),
                        new GraphContext(loops, loops.blocking(), folder, memory));
    }

    public void create(String name, long sizeBytes, Map<String, String> options) {
        loops.await(volume.create(name, new CreateOptions(sizeBytes, options)));
    }

    public XlatorFile open(String name, OpenMode mode) {
        return loops.await(volume.open(name, OpenOptions.of(mode), loops.loop(0)));
    }

    public FileDriver driver(XlatorFile file) {
        return new FileDriver(file, loops.loop(0));
    }

    public void close(XlatorFile file) {
        loops.await(loops.loop(0).call(file::close));
    }

    /** The file as QEMU would find it. */
    public Path export(String name) throws IOException {
        Path path = folder.resolve(name);
        Files.write(path, brick.content(name));
        return path;
    }

    /** Whether the header says that there may be leaks. */
    public boolean isMarked(String name) {
        return isMarked(brick.content(name));
    }

    /** As above, of the bytes of an image. */
    public static boolean isMarked(byte[] image) {
        int length = Math.min(image.length, 64 << 10);
        return Qcow2Header.parse(ByteBuffer.wrap(image, 0, length).slice(), image.length)
                .mayHaveLeaks();
    }

    /** qemu-img's own check finds neither corruption nor leaks. */
    public void checkClean(String name) throws IOException {
        PeerResult result =
                Peer.QEMU_IMG
                        .command("check", export(name).toString())
                        .directory(folder) // where data files are looked for
                        .run();
        assertThat(result.exitCode()).as("%s", result).isZero();
    }

    /** qemu-img's own check finds leaks at worst. */
    void checkLeaksAtWorst(String name) throws IOException {
        PeerResult result = Peer.QEMU_IMG.command("check", export(name).toString()).run();
        assertThat(result.exitCode()).as("%s", result).isIn(0, 3);
    }

    /** What QEMU reads from the image. */
    public byte[] qemuContent(String name) throws IOException {
        Path raw = folder.resolve(name + ".raw");
        Peer.QEMU_IMG
                .command(
                        "convert",
                        "-f",
                        "qcow2",
                        "-O",
                        "raw",
                        export(name).toString(),
                        raw.toString())
                .directory(folder)
                .runOk();
        return Files.readAllBytes(raw);
    }
}
