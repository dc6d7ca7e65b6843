package io.quoin.qcow2.fuzz;

import io.quoin.block.BlockException;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.qcow2.hostile.MemoryImageFile;
import io.quoin.qcow2.hostile.SmallImage;

/**
 * Repairs: what a repair says is left is what the next check finds, and a second one finds no more.
 */
public final class RepairFuzz {
    private RepairFuzz() {}

    /** Loads and instruments all classes before the time of an input is measured. */
    public static void fuzzerInitialize() {
        fuzzerTestOneInput(new byte[1]);
    }

    public static void fuzzerTestOneInput(byte[] data) {
        SmallImage image = PatchedImage.of(data);
        MemoryImageFile file = new MemoryImageFile(image.toArray(), image.fileSize());
        RepairMode mode = (data.length & 1) == 0 ? RepairMode.ALL : RepairMode.LEAKS;
        try {
            CheckResult repaired = Qcow2Check.check(file, mode, CheckListener.SILENT);
            CheckResult after = Qcow2Check.check(file, RepairMode.NONE, CheckListener.SILENT);
            if (repaired.exitCode() != after.exitCode()
                    || repaired.corruptions() != after.corruptions()
                    || repaired.leaks() != after.leaks()) {
                throw new AssertionError("repair says " + repaired + ", check says " + after);
            }
        } catch (BlockException e) {
            Messages.check(e);
        }
    }
}
