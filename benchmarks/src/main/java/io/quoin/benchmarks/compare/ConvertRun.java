package io.quoin.benchmarks.compare;

/**
 * One conversion.
 *
 * <p>Threading: immutable.
 *
 * @param row what was converted into what
 * @param tool by whom
 * @param seconds from the start of the program to its end
 * @param cpuSeconds processor time of the program in user space and kernel together
 * @param residentBytes the most resident memory it had
 * @param fileBytes the size of the result's file
 */
record ConvertRun(
        String row,
        String tool,
        int round,
        double seconds,
        double cpuSeconds,
        long residentBytes,
        long fileBytes) {
    private static final double MEBIBYTE = 1 << 20;

    double residentMebibytes() {
        return residentBytes / MEBIBYTE;
    }

    double fileMebibytes() {
        return fileBytes / MEBIBYTE;
    }
}
