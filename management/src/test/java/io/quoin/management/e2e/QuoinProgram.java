package io.quoin.management.e2e;

import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerResult;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The command bin/quoin as a process of its own, on the classes under test. */
final class QuoinProgram {
    static final Path LAUNCHER = Path.of(System.getProperty("quoin.root"), "bin", "quoin");

    private QuoinProgram() {}

    static PeerCommand command(List<String> arguments) {
        List<String> argv = new ArrayList<>();
        argv.add(LAUNCHER.toString());
        argv.addAll(arguments);
        return environment(PeerCommand.of(argv));
    }

    /** For a command line that starts the launcher somehow. */
    static PeerCommand environment(PeerCommand command) {
        return command.environment("JAVA_HOME", System.getProperty("java.home"))
                .environment("QUOIN_CLASSPATH", System.getProperty("java.class.path"));
    }

    static PeerResult run(String... arguments) {
        return command(List.of(arguments)).run();
    }
}
