package io.quoin.management.e2e;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A Linux guest under QEMU that talks to its test by lines "QUOIN ..." on the serial console.
 *
 * <p>It runs on KVM only where a guest has been seen to get to its user space there, for a /dev/kvm
 * file alone proves nothing; else on QEMU's own emulation.
 */
final class Guest implements AutoCloseable {
    /** Where the guest sees the host's NBD port; it sees nothing else of the host or beyond. */
    private static final String FORWARDED = "10.0.2.100:10809";

    private static final Duration PROBE_LIMIT = Duration.ofSeconds(10);
    private static final Duration END_LIMIT = Duration.ofMinutes(1);
    private static final String MARK = "QUOIN ";

    private final PeerProcess qemu;

    private Guest(PeerProcess qemu) {
        this.qemu = qemu;
    }

    /** The accelerator on which this kernel really runs here. */
    static String accelerator(GuestKernel kernel, Path initramfs) {
        if (!Files.isWritable(Path.of("/dev/kvm"))) {
            return "tcg";
        }
        List<String> argv = machine(kernel, initramfs, "kvm", "quoin.probe=1");
        try (PeerProcess probe = Peer.QEMU_SYSTEM.command(argv).start()) {
            probe.awaitLine(line -> line.startsWith(MARK + "boot"), PROBE_LIMIT);
            return "kvm";
        } catch (AssertionError noGuest) {
            System.out.println("KVM runs no guest here, taking tcg: " + lastLine(noGuest));
            return "tcg";
        }
    }

    /** Boots with the unix export as /dev/vda and the TCP port behind the guest's network. */
    static Guest boot(
            GuestKernel kernel, Path initramfs, String accelerator, NbdUri disk, NbdUri network) {
        String parameters = "quoin.export=" + network.export();
        List<String> argv = new ArrayList<>(machine(kernel, initramfs, accelerator, parameters));
        argv.addAll(drive(disk));
        argv.addAll(
                List.of(
                        "-netdev",
                        "user,id=net,restrict=on,guestfwd=tcp:"
                                + FORWARDED
                                + "-cmd:"
                                + Peer.BUSYBOX.path().orElseThrow()
                                + " nc 127.0.0.1 "
                                + network.port(),
                        "-device",
                        "virtio-net-pci,netdev=net,romfile="));
        return new Guest(Peer.QEMU_SYSTEM.command(argv).start());
    }

    /** Boots with the unix export as /dev/vda, and without a network. */
    static Guest boot(GuestKernel kernel, Path initramfs, String accelerator, NbdUri disk) {
        List<String> argv = new ArrayList<>(machine(kernel, initramfs, accelerator, ""));
        argv.addAll(drive(disk));
        return new Guest(Peer.QEMU_SYSTEM.command(argv).start());
    }

    private static List<String> drive(NbdUri disk) {
        return List.of(
                "-blockdev",
                "driver=nbd,node-name=disk,server.type=unix,server.path="
                        + disk.socket()
                        + ",export="
                        + disk.export()
                        + ",discard=unmap",
                "-device",
                "virtio-blk-pci,drive=disk,discard=on,write-zeroes=on");
    }

    /** Boots with exports as /dev/vda, /dev/vdb and so on. */
    static Guest boot(
            GuestKernel kernel,
            Path initramfs,
            String accelerator,
            String parameters,
            List<NbdUri> disks) {
        List<String> argv = new ArrayList<>(machine(kernel, initramfs, accelerator, parameters));
        for (NbdUri disk : disks) {
            String node = "disk" + disks.indexOf(disk);
            argv.addAll(
                    List.of(
                            "-blockdev",
                            "driver=nbd,node-name="
                                    + node
                                    + ",server.type=unix,server.path="
                                    + disk.socket()
                                    + ",export="
                                    + disk.export(),
                            "-device",
                            "virtio-blk-pci,drive=" + node));
        }
        return new Guest(Peer.QEMU_SYSTEM.command(argv).start());
    }

    private static List<String> machine(
            GuestKernel kernel, Path initramfs, String accelerator, String parameters) {
        return List.of(
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-serial",
                "stdio",
                "-accel",
                accelerator,
                "-cpu",
                "max",
                "-m",
                "512",
                "-kernel",
                kernel.image().toString(),
                "-initrd",
                initramfs.toString(),
                "-append",
                "console=ttyS0 quiet panic=-1 " + parameters);
    }

    /**
     * Waits for the line "QUOIN what value" and returns the value; a failed step of the guest
     * fails.
     */
    String await(String what, Duration limit) {
        String wanted = MARK + what;
        String line =
                qemu.awaitLine(
                        text -> text.startsWith(wanted) || text.startsWith(MARK + "failed"), limit);
        if (!line.startsWith(wanted)) {
            throw new AssertionError("the guest: " + line + "\n" + transcript());
        }
        return line.substring(wanted.length()).trim();
    }

    /** How many times the guest has come up. */
    long boots() {
        return count("boot");
    }

    /** How many lines "QUOIN what" it has said. */
    long count(String what) {
        return qemu.stdout().lines().filter(line -> line.startsWith(MARK + what)).count();
    }

    /** Types a line on its console; once. */
    void type(String line) {
        qemu.feed((line + "\n").getBytes(StandardCharsets.US_ASCII));
    }

    PeerResult awaitPowerOff() {
        return qemu.awaitExit(END_LIMIT);
    }

    private static String lastLine(AssertionError error) {
        return error.getMessage().strip().lines().reduce((first, second) -> second).orElse("");
    }

    /** Everything the guest and QEMU have said. */
    String transcript() {
        return qemu.stdout() + qemu.stderr();
    }

    @Override
    public void close() {
        qemu.close();
    }
}
