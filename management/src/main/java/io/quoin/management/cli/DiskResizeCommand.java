package io.quoin.management.cli;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.guest.QemuDisk;
import io.quoin.management.operation.DiskAddress;
import io.quoin.management.operation.DiskDisconnect;
import io.quoin.management.operation.DiskResize;
import io.quoin.management.operation.Status;
import io.quoin.management.operation.StatusView;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.volume.DiskView;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.SizeConverter;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code quoin disk resize}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "resize",
        description = "Grow a disk, attached or not.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "QEMU asks for the size of a disk once, when it connects. A guest sees the new one after",
            "QEMU has connected again and was told block_resize; or from its next start on. With --qmp",
            "both are done: QEMU's connection is closed and made again while the guest is paused for",
            "the moment. The monitor has one client at a time, and libvirt has its own: see",
            "docs/install.md.",
            "",
            "Examples:",
            "  quoin disk resize vm1 20G",
            "  quoin disk resize vm1 20G --qmp /run/vm1.qmp"
        })
final class DiskResizeCommand extends DiskCommand.OnVolume {
    @Parameters(index = "0", paramLabel = "NAME", description = "name of the disk")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String name;

    @Parameters(
            index = "1",
            paramLabel = "SIZE",
            description = "its new size, as in 10G or 1.5T; disks don't shrink",
            converter = SizeConverter.class)
    private long sizeBytes;

    @Option(
            names = "--qmp",
            paramLabel = "SOCKET",
            description =
                    "the monitor of the QEMU that has it attached (-qmp"
                            + " unix:SOCKET,server=on,wait=off), which is told of the new size")
    private @Nullable Path qmp;

    @Override
    void run(VolumeClient client, OutputOption out) {
        Path socket = qmp;
        if (socket == null) {
            DiskView disk = resize(client);
            out.print(disk, writer -> writer.println("Resized " + DiskCommand.oneLine(disk)));
            return;
        }
        StatusView service = client.call(Status.TYPE, new Status.Request());
        String export = export(name);
        requireOneClient(service, export);
        // Found before anything is changed.
        try (QemuDisk attached = QemuDisk.find(socket, export, service.nbd().socket())) {
            DiskView disk = resize(client);
            attached.learnSize(
                    disk.sizeBytes(),
                    () -> client.call(DiskDisconnect.TYPE, new DiskDisconnect.Request(name)));
            out.print(
                    disk,
                    writer ->
                            writer.println(
                                    "Resized "
                                            + DiskCommand.oneLine(disk)
                                            + ", in QEMU too: node="
                                            + attached.node()));
        }
    }

    private DiskView resize(VolumeClient client) {
        return client.call(DiskResize.TYPE, new DiskResize.Request(name, sizeBytes));
    }

    /** Others, as one that copies the disk, would see their requests fail. */
    private static void requireOneClient(StatusView service, String export) {
        // Of the only volume, disks may be named without it.
        String other =
                service.volumes().size() == 1
                        ? DiskAddress.prefix(service.volumes().get(0).name()) + export
                        : export;
        List<StatusView.Client> clients =
                service.clients().stream()
                        .filter(each -> each.disk().equals(export) || each.disk().equals(other))
                        .toList();
        if (clients.size() > 1) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "disk has other clients, which would lose their connections: name="
                            + export
                            + ", clients="
                            + clients.size()
                            + ", expected=that of QEMU alone; quoin status shows them");
        }
    }
}
