package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.QuoinProgram;
import io.quoin.testkit.peer.SocketFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The service under a manager that does what systemd does for its unit and its socket. */
@Tag("e2e")
@Timeout(120)
class ServiceManagerTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String PYTHON = "/usr/bin/python3";

    /** Makes the socket, starts the service, shows what it tells; SIGHUP: starts it again. */
    private static final String MANAGER =
            """
            import os, signal, socket, sys
            path, notify_path, *argv = sys.argv[1:]
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            listener.listen(64)
            notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            notify.bind("\\0" + notify_path[1:] if notify_path.startswith("@") else notify_path)
            def start():
                pid = os.fork()
                if pid == 0:
                    os.dup2(listener.fileno(), 3)
                    os.set_inheritable(3, True)
                    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1",
                                      NOTIFY_SOCKET=notify_path, WATCHDOG_USEC="600000")
                    os.execv(argv[0], argv)
                return pid
            wanted = []
            signal.signal(signal.SIGHUP, lambda *args: wanted.append("restart"))
            signal.signal(signal.SIGTERM, lambda *args: wanted.append("stop"))
            notify.settimeout(0.05)
            pid = start()
            while True:
                try:
                    print("told " + notify.recv(4096).decode().replace("\\n", " "), flush=True)
                except socket.timeout:
                    pass
                if wanted:
                    what = wanted.pop()
                    os.kill(pid, signal.SIGTERM)
                    print("ended", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
                    if what == "stop":
                        sys.exit(0)
                    pid = start()
            """;

    private final SocketFolder folder = SocketFolder.create();
    private final Path socket = folder.resolve("handed.sock");

    @AfterEach
    void removeTheFolder() {
        folder.close();
    }

    @Test
    void shouldServeTheSocketThatWasHandedOverAndTellWhatItDoes() {
        Peer.assumeAll(Peer.NBDSH, Peer.NBDINFO);
        try (PeerProcess manager = manage(folder.resolve("notify").toString())) {
            manager.awaitLine(line -> line.startsWith("told READY=1"), LIMIT);
            manager.awaitLine(line -> line.equals("told WATCHDOG=1"), LIMIT);
            assertThat(manager.stderr()).doesNotContain("WARN");
            assertThat(info().stdout()).contains("10485760");
            assertThat(folder.resolve("data/nbd.sock")).doesNotExist();

            PeerCommand.of("kill", "-HUP", Long.toString(manager.pid())).runOk();
            manager.awaitLine(line -> line.equals("told STOPPING=1"), LIMIT);
            // Nothing refuses it meanwhile: it waits in the socket's queue.
            assertThat(info().stdout()).contains("10485760");
            assertThat(manager.stdout()).contains("ended 0");

            manager.awaitReady(() -> readies(manager) == 2, LIMIT);
            // Java's own way to end it would close its output too.
            PeerCommand.of("kill", "-TERM", Long.toString(manager.pid())).runOk();
            PeerResult ended = manager.awaitExit(LIMIT);
            assertThat(ended.stdout().lines().filter("ended 0"::equals))
                    .as(ended.toString())
                    .hasSize(2);
        }
        assertThat(Files.exists(socket)).as("the manager's own file").isTrue();
    }

    @Test
    void shouldTellAManagerAtAnAbstractName() {
        Peer.NBDSH.assumeAvailable();
        try (PeerProcess manager = manage("@" + folder.path())) {
            manager.awaitLine(line -> line.startsWith("told READY=1"), LIMIT);
        }
    }

    @Test
    void shouldRefuseToMakeASocketBesideOneThatWasHandedOver() {
        Peer.NBDSH.assumeAvailable();
        try (PeerProcess manager =
                manage(folder.resolve("notify").toString(), "--socket-group", "root")) {
            manager.awaitReady(() -> manager.stderr().contains("--help"), LIMIT);
            assertThat(manager.stderr())
                    .contains("the socket was handed over by the service manager: path=" + socket);
        }
    }

    private static long readies(PeerProcess manager) {
        return manager.stdout().lines().filter(line -> line.startsWith("told READY=1")).count();
    }

    private PeerProcess manage(String notify, String... more) {
        List<String> arguments = new ArrayList<>();
        arguments.addAll(List.of("serve", "--data", folder.resolve("data").toString()));
        arguments.addAll(List.of("--listen", "none", "--disk", "vm1=10M"));
        arguments.addAll(List.of(more));
        List<String> argv = new ArrayList<>(List.of(PYTHON, "-c", MANAGER));
        argv.addAll(List.of(socket.toString(), notify));
        argv.add(QuoinProgram.LAUNCHER.toString());
        argv.addAll(arguments);
        return QuoinProgram.environment(PeerCommand.of(argv)).start();
    }

    private PeerResult info() {
        return Peer.NBDINFO.command("nbd+unix:///vm1?socket=" + socket).runOk();
    }
}
