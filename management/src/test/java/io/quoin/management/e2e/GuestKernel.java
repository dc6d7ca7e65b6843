package io.quoin.management.e2e;

import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A Linux kernel for a guest with its modules: an unpacked Debian cloud kernel package in the
 * folder {@code $QUOIN_GUEST}, else in {@code ${XDG_CACHE_HOME:-~/.cache}/quoin/guest}, else the
 * machine's own /boot where that has a cloud kernel.
 */
final class GuestKernel {
    private static final byte[] DEPENDS = "\0depends=".getBytes(StandardCharsets.US_ASCII);

    private final Path image;
    private final Map<String, Path> modules;

    private GuestKernel(Path image, Map<String, Path> modules) {
        this.image = image;
        this.modules = modules;
    }

    /** The kernel, or the end of the test with the reason and the remedy. */
    static GuestKernel assumeAvailable() throws IOException {
        List<Path> roots = new ArrayList<>();
        Optional.ofNullable(System.getenv("QUOIN_GUEST")).map(Path::of).ifPresent(roots::add);
        String cache = System.getenv("XDG_CACHE_HOME");
        roots.add(
                cache == null || cache.isEmpty()
                        ? Path.of(System.getProperty("user.home"), ".cache", "quoin", "guest")
                        : Path.of(cache, "quoin", "guest"));
        roots.add(Path.of("/"));
        for (Path root : roots) {
            Optional<GuestKernel> kernel = in(root);
            if (kernel.isPresent()) {
                return kernel.orElseThrow();
            }
        }
        Peer.abortOrFail(
                "there is no cloud kernel for a guest in any of "
                        + roots
                        + " (unpack Debian's linux-image-*-cloud-amd64 there with dpkg-deb -x)");
        throw new AssertionError("unreachable: the test has been aborted");
    }

    private static Optional<GuestKernel> in(Path root) throws IOException {
        Path boot = root.resolve("boot");
        if (!Files.isDirectory(boot)) {
            return Optional.empty();
        }
        try (Stream<Path> files = Files.list(boot)) {
            for (Path image : files.sorted().toList()) {
                String name = image.getFileName().toString();
                if (name.startsWith("vmlinuz-") && name.contains("-cloud-")) {
                    String release = name.substring("vmlinuz-".length());
                    Path modules = root.resolve("lib/modules").resolve(release);
                    if (Files.isReadable(image) && Files.isDirectory(modules)) {
                        return Optional.of(new GuestKernel(image, modulesIn(modules)));
                    }
                }
            }
        }
        return Optional.empty();
    }

    private static Map<String, Path> modulesIn(Path folder) throws IOException {
        Map<String, Path> modules = new HashMap<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                int suffix = name.indexOf(".ko");
                if (suffix > 0) {
                    modules.put(normalised(name.substring(0, suffix)), file);
                }
            }
        }
        return modules;
    }

    Path image() {
        return image;
    }

    /**
     * The files of these modules and of all that they depend on, in the order in which they can be
     * loaded. A name that the kernel has no file for is built in.
     */
    List<Path> modules(List<String> names) throws IOException {
        Set<Path> ordered = new LinkedHashSet<>();
        for (String name : names) {
            load(normalised(name), ordered);
        }
        return List.copyOf(ordered);
    }

    private void load(String name, Set<Path> ordered) throws IOException {
        Path file = modules.get(name);
        if (file == null || ordered.contains(file)) {
            return;
        }
        for (String dependency : dependencies(content(file))) {
            load(normalised(dependency), ordered);
        }
        ordered.add(file);
    }

    /** A module's bytes, uncompressed: later Debian kernels compress them with xz. */
    static byte[] content(Path module) throws IOException {
        if (module.toString().endsWith(".xz")) {
            return Peer.BUSYBOX.command("xzcat", module.toString()).runOk().stdoutBytes();
        }
        return Files.readAllBytes(module);
    }

    /** The names in the module's own "depends" record: modules.dep is made at installation only. */
    static List<String> dependencies(byte[] module) {
        int at = indexOf(module, DEPENDS);
        if (at < 0) {
            return List.of();
        }
        int start = at + DEPENDS.length;
        int end = start;
        while (module[end] != 0) {
            end++;
        }
        String names = new String(module, start, end - start, StandardCharsets.US_ASCII);
        return names.isEmpty() ? List.of() : List.of(names.split(",", -1));
    }

    private static int indexOf(byte[] data, byte[] wanted) {
        for (int at = 0; at <= data.length - wanted.length; at++) {
            int matched = 0;
            while (matched < wanted.length && data[at + matched] == wanted[matched]) {
                matched++;
            }
            if (matched == wanted.length) {
                return at;
            }
        }
        return -1;
    }

    private static String normalised(String name) {
        return name.replace('-', '_');
    }
}
