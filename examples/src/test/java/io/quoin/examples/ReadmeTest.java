package io.quoin.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.disk.Volume;
import io.quoin.block.disk.Volumes;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The Java of the pages is compiled and run as it stands there. */
@Timeout(60)
class ReadmeTest {
    private static final Path ROOT = Path.of(System.getProperty("quoin.root"));
    private static final Pattern JAVA = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final String INSTALLED = "/var/lib/quoin";

    @TempDir private Path folder;

    private static List<String> blocks() throws IOException {
        List<String> blocks = new ArrayList<>();
        try (Stream<Path> pages = Files.list(ROOT)) {
            collect(pages, blocks);
        }
        try (Stream<Path> pages = Files.walk(ROOT.resolve("docs"))) {
            collect(pages, blocks);
        }
        return blocks;
    }

    private static void collect(Stream<Path> files, List<String> blocks) throws IOException {
        for (Path page : files.filter(file -> file.toString().endsWith(".md")).sorted().toList()) {
            Matcher block = JAVA.matcher(Files.readString(page));
            while (block.find()) {
                blocks.add(block.group(1));
            }
        }
    }

    @Test
    void shouldCompileAndRunTheJavaOfThePages() throws Exception {
        List<String> blocks = blocks();
        assertThat(blocks).isNotEmpty();
        for (int i = 0; i < blocks.size(); i++) {
            Path data = folder.resolve("data" + i);
            try (Volume volume = Volumes.open(data)) {
                volume.create("vm1", 1 << 20);
            }
            run("Block" + i, blocks.get(i).replace(INSTALLED, data.toString()));
        }
    }

    private void run(String name, String block) throws Exception {
        String source =
                "import io.quoin.block.*;\nimport io.quoin.block.disk.*;\nimport java.nio.*;\n"
                        + "import java.nio.file.*;\npublic class "
                        + name
                        + " { public static void run() throws Exception {\n"
                        + block
                        + "}}\n";
        Path file = Files.writeString(folder.resolve(name + ".java"), source);
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        int failed =
                compiler.run(
                        null,
                        null,
                        null,
                        "-proc:none",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "-d",
                        folder.toString(),
                        file.toString());
        assertThat(failed).as(source).isZero();
        try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
            loader.loadClass(name).getMethod("run").invoke(null);
        }
    }
}
