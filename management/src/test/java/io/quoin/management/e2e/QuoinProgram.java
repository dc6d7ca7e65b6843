package io.quoin.management.e2e;

import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerResult;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The quoin command as a process of its own, on the classes under test and with the product's JVM
 * flags.
 */
final class QuoinProgram {
    private static final String MAIN = "io.quoin.management.cli.QuoinCommand";

    private QuoinProgram() {}

    static PeerCommand command(List<String> arguments) {
        List<String> argv = new ArrayList<>();
        argv.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        argv.add("@" + Path.of(System.getProperty("quoin.root"), "bin", "jvm.options"));
        argv.add(MAIN);
        argv.addAll(arguments);
        return PeerCommand.of(argv).environment("CLASSPATH", System.getProperty("java.class.path"));
    }

    static PeerResult run(String... arguments) {
        return command(List.of(arguments)).run();
    }
}
