package io.quoin.qcow2.matrix;

import io.quoin.testkit.peer.Peer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Commands that one qemu-io carries out.
 *
 * <p>Threading: confined to the test.
 */
final class QemuIo {
    private final Path folder;
    private final String image;
    private final List<String> commands = new ArrayList<>();

    QemuIo(Path folder, String image) {
        this.folder = folder;
        this.image = image;
    }

    void add(String command, long offset, long length) {
        commands.add(command + " " + offset + " " + length);
    }

    void add(String command) {
        commands.add(command);
    }

    void run() {
        List<String> arguments = new ArrayList<>(List.of("-f", "qcow2", "-d", "unmap"));
        for (String command : commands) {
            arguments.add("-c");
            arguments.add(command);
        }
        arguments.add(image);
        Peer.QEMU_IO.command(arguments).directory(folder).runOk();
    }
}
