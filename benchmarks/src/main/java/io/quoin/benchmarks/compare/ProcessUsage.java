package io.quoin.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a process and its children have used: processor time in user space and kernel together, and
 * resident memory now (Linux: proc_pid_stat(5), proc_pid_status(5)).
 *
 * <p>Threading: immutable.
 */
record ProcessUsage(long cpuMicros, long residentBytes) {
    /** The kernel shows ticks of 10 ms to user space on every machine (USER_HZ). */
    private static final long TICK_MICROS = 10_000;

    private static final int UTIME = 11;
    private static final int STIME = 12;

    static ProcessUsage of(long pid) throws IOException {
        List<ProcessHandle> tree =
                ProcessHandle.of(pid)
                        .map(root -> Stream.concat(Stream.of(root), root.descendants()).toList())
                        .orElseThrow(() -> new IOException("no process " + pid));
        long ticks = 0;
        long residentBytes = 0;
        for (ProcessHandle process : tree) {
            Path proc = Path.of("/proc", Long.toString(process.pid()));
            // A child that has ended meanwhile is no part of the server any more.
            if (process.isAlive()) {
                ticks += cpuTicks(Files.readString(proc.resolve("stat")));
                residentBytes += residentBytes(Files.readString(proc.resolve("status")));
            }
        }
        return new ProcessUsage(ticks * TICK_MICROS, residentBytes);
    }

    ProcessUsage plus(ProcessUsage other) {
        return new ProcessUsage(cpuMicros + other.cpuMicros, residentBytes + other.residentBytes);
    }

    static long cpuTicks(String stat) {
        // The command's name, in brackets, may hold blanks and brackets: fields count from the last
        // one.
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return Long.parseLong(fields[UTIME]) + Long.parseLong(fields[STIME]);
    }

    static long cpuMicros(String stat) {
        return cpuTicks(stat) * TICK_MICROS;
    }

    static long residentBytes(String status) {
        return bytes(status, "VmRSS:");
    }

    /** The most that was resident so far. */
    static long peakBytes(String status) {
        return bytes(status, "VmHWM:");
    }

    private static long bytes(String status, String name) {
        return status.lines()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                .sum();
    }
}
