package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;

/**
 * The numbers of Linux's interface that differ between processors ({@code asm/fcntl.h}, {@code
 * asm/unistd.h}).
 *
 * <p>Threading: immutable.
 */
record Abi(
        int openDirectory,
        int openNoFollow,
        int openDirect,
        long sysGetdents64,
        long sysCopyFileRange) {
    private static final Abi X86_64 = new Abi(0x10000, 0x20000, 0x4000, 217, 326);
    private static final Abi AARCH64 = new Abi(0x4000, 0x8000, 0x10000, 61, 285);

    /** O_TMPFILE, which has the bit of O_DIRECTORY in it. */
    int openTemporary() {
        return 0x400000 | openDirectory;
    }

    /** That of this machine; ENOTSUP where it is not one that these numbers are known for. */
    static Abi current() {
        String system = System.getProperty("os.name", "");
        String processor = System.getProperty("os.arch", "");
        if (system.equals("Linux")) {
            switch (processor) {
                case "amd64", "x86_64" -> {
                    return X86_64;
                }
                case "aarch64" -> {
                    return AARCH64;
                }
                default -> {}
            }
        }
        throw new BlockException(
                BlockError.ENOTSUP,
                "storage/posix does not run on this machine: expected=Linux on amd64 or aarch64,"
                        + " actual="
                        + system
                        + " on "
                        + processor);
    }
}
