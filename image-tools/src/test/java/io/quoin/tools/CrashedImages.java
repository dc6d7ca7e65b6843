package io.quoin.tools;

import io.quoin.block.BlockException;
import io.quoin.qcow2.Qcow2Type;
import io.quoin.qcow2.bitmap.BitmapControl;
import io.quoin.qcow2.bitmap.BitmapInfo;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.crash.FlatBytes;
import io.quoin.testkit.crash.FlatFiles;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.OptionValues;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Images in memory as a crash has left them: read, checked and written to once more.
 *
 * <p>Threading: confined to the test.
 */
final class CrashedImages implements AutoCloseable {
    private final VirtualLoopGroup loops = new VirtualLoopGroup(1);
    private final FlatFiles brick = new FlatFiles();
    private final Xlator volume;

    CrashedImages(Path folder, Map<String, byte[]> untouched, Map<String, FlatBytes> files) {
        untouched.forEach((name, content) -> brick.put(name, new FlatBytes(content)));
        files.forEach(brick::put);
        Qcow2Type type = new Qcow2Type();
        volume =
                type.create(
                        "images",
                        new OptionValues(type.options(), Map.of("compression-threads", "1")),
                        List.of(brick),
                        new GraphContext(loops, loops.blocking(), folder));
    }

    byte[] read(String name) {
        XlatorFile file = open(name, OpenMode.READ_ONLY);
        byte[] content = driver(file).read(0, (int) file.geometry().sizeBytes());
        close(file);
        return content;
    }

    List<BitmapInfo> bitmaps(String name) {
        XlatorFile file = open(name, OpenMode.READ_ONLY);
        BitmapControl control = BitmapControl.of(file).orElseThrow();
        List<BitmapInfo> list = loops.await(loops.loop(0).call(control::list));
        close(file);
        return list;
    }

    /** Writes into the image and closes it; what it must read as then. */
    byte[] write(String name, long offset, byte[] data) {
        XlatorFile file = open(name, OpenMode.READ_WRITE);
        FileDriver driver = driver(file);
        byte[] expected = driver.read(0, (int) file.geometry().sizeBytes());
        driver.write(offset, data);
        System.arraycopy(data, 0, expected, (int) offset, data.length);
        close(file);
        return expected;
    }

    /** What a check finds; empty: leaks at worst. Of a dirty image counts mean nothing. */
    String corruptions(String name) {
        StringBuilder told = new StringBuilder();
        try {
            if (isDirty(brick.get(name))) {
                return "";
            }
            CheckResult result =
                    Qcow2Check.check(
                            new CheckedFile(brick.get(name)),
                            RepairMode.NONE,
                            new CheckListener() {
                                @Override
                                public void finding(String text) {
                                    told.append(told.length() < 1000 ? text + "; " : "");
                                }
                            });
            boolean sound = result.corruptions() == 0 && result.checkErrors() == 0;
            return sound ? "" : name + ": " + told;
        } catch (BlockException e) {
            return name + ": " + e.getMessage();
        }
    }

    static boolean isDirty(FlatBytes image) {
        byte[] header = new byte[80];
        image.read(0, ByteBuffer.wrap(header));
        return header[7] == 3 && (header[79] & 1) != 0;
    }

    private XlatorFile open(String name, OpenMode mode) {
        return loops.await(volume.open(name, OpenOptions.of(mode), loops.loop(0)));
    }

    private FileDriver driver(XlatorFile file) {
        return new FileDriver(file, loops.loop(0));
    }

    private void close(XlatorFile file) {
        loops.await(loops.loop(0).call(file::close));
    }

    @Override
    public void close() {
        loops.await(volume.close());
    }

    private record CheckedFile(FlatBytes bytes) implements ImageFile {
        @Override
        public String name() {
            return "crashed";
        }

        @Override
        public long sizeBytes() {
            return bytes.size();
        }

        @Override
        public void read(long hostOffset, ByteBuffer target) {
            bytes.read(hostOffset, target);
        }

        @Override
        public void write(long hostOffset, ByteBuffer source) {
            throw new AssertionError("a check writes");
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}
