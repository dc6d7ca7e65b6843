package io.quoin.xlator.memory;

import java.lang.management.ManagementFactory;
import java.lang.management.OperatingSystemMXBean;

/**
 * How much memory this process could have: the machine's, or its control group's.
 *
 * <p>Threading: thread-safe.
 */
final class MachineMemory {
    private static final long UNKNOWN_BYTES = 1L << 30;

    private MachineMemory() {}

    static long bytes() {
        OperatingSystemMXBean bean = ManagementFactory.getOperatingSystemMXBean();
        return bean instanceof com.sun.management.OperatingSystemMXBean machine
                ? machine.getTotalMemorySize()
                : UNKNOWN_BYTES;
    }
}
