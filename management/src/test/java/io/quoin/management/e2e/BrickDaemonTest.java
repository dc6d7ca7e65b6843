package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.quoin.block.BlockException;
import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.Layout;
import io.quoin.replicate.Payload;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.replicate.wire.BrickAddress;
import io.quoin.replicate.wire.BrickClaim;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.QuoinProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Brick daemons as processes, on loopback. */
@Tag("e2e")
@Timeout(300)
class BrickDaemonTest {
    private static final UUID VOLUME = UUID.randomUUID();
    private static final int BLOCK_BYTES = 1 << 16;

    @TempDir Path folder;

    private static BrickIdentity claim(BrickProcess brick) {
        return BrickClaim.claim(brick.address(), WireOptions.local(), VOLUME, 0, Layout.ONE);
    }

    private static Payload block(int value) {
        byte[] bytes = new byte[BLOCK_BYTES];
        Arrays.fill(bytes, (byte) value);
        return Payload.of(bytes);
    }

    private static Request.Write write(int number) {
        return new Request.Write((long) number * BLOCK_BYTES, block(number + 1), false);
    }

    private static Request.Read read(int number) {
        return new Request.Read((long) number * BLOCK_BYTES, BLOCK_BYTES);
    }

    private static PeerResult refused(Path folder) {
        return BrickProcess.command(folder, BrickProcess.ANY_PORT).run();
    }

    @Test
    void shouldKeepWhatWasFlushedWhenItIsKilledAndStartedAgain() throws Exception {
        BrickAddress address;
        BrickIdentity claimed;
        try (BrickProcess brick = BrickProcess.start(folder, BrickProcess.ANY_PORT)) {
            address = brick.address();
            claimed = claim(brick);
            try (BrickGateway gateway = new BrickGateway(address, VOLUME, 0)) {
                assertThat(gateway.awaitConnected()).isEqualTo(claimed);
                assertThat(gateway.ask(new Request.Promise())).isInstanceOf(Reply.Promised.class);
                for (int i = 0; i < 20; i++) {
                    assertThat(gateway.ask(write(i))).isEqualTo(new Reply.Done());
                }
                assertThat(gateway.ask(new Request.Flush())).isEqualTo(new Reply.Done());
                brick.kill();
                gateway.awaitDisconnected();
                try (BrickProcess again = BrickProcess.start(folder, address)) {
                    BrickIdentity identity = gateway.awaitConnected();
                    assertThat(identity.brick()).isEqualTo(claimed.brick());
                    assertThat(identity.startCount()).isEqualTo(claimed.startCount() + 1);
                    assertThat(gateway.ask(new Request.Promise()))
                            .isInstanceOf(Reply.Promised.class);
                    for (int i = 0; i < 20; i++) {
                        assertThat(gateway.ask(read(i))).isEqualTo(new Reply.Data(block(i + 1)));
                    }
                    assertThat(again.stop().exitCode()).isZero();
                }
            }
        }
    }

    @Test
    void shouldServeTheFirstClaimAloneWhenThereAreSeveral() throws Exception {
        try (BrickProcess brick = BrickProcess.start(folder, BrickProcess.ANY_PORT)) {
            try (BrickGateway early = new BrickGateway(brick.address(), VOLUME, 0)) {
                assertThat(early.awaitFailure()).contains("refused: no brick yet");
            }
            BrickIdentity claimed = claim(brick);
            assertThat(claim(brick)).isEqualTo(claimed);
            assertThatThrownBy(
                            () ->
                                    BrickClaim.claim(
                                            brick.address(),
                                            WireOptions.local(),
                                            UUID.randomUUID(),
                                            1,
                                            Layout.THREE))
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("already claimed")
                    .hasMessageContaining("volume=" + VOLUME + ", index=0, layout=replica-1");
            try (BrickGateway other = new BrickGateway(brick.address(), UUID.randomUUID(), 0);
                    BrickGateway wrong = new BrickGateway(brick.address(), VOLUME, 1)) {
                assertThat(other.awaitFailure()).contains("brick of another volume");
                assertThat(wrong.awaitFailure())
                        .contains("brick with another index: expected=1, actual=0");
            }
            assertThat(brick.log()).contains("Brick claimed: volume=" + VOLUME);
        }
    }

    @Test
    void shouldBeNoticedWhenItIsStoppedAndGoOnAfterwards() throws Exception {
        try (BrickProcess brick = BrickProcess.start(folder, BrickProcess.ANY_PORT)) {
            claim(brick);
            try (BrickGateway gateway = new BrickGateway(brick.address(), VOLUME, 0)) {
                gateway.awaitConnected();
                assertThat(gateway.ask(new Request.Promise())).isInstanceOf(Reply.Promised.class);
                assertThat(gateway.ask(write(0))).isEqualTo(new Reply.Done());
                brick.signal("STOP");
                assertThat(gateway.awaitDisconnected()).contains("silent: missed pings=4");
                brick.signal("CONT");
                gateway.awaitConnected();
                assertThat(gateway.ask(new Request.Promise())).isInstanceOf(Reply.Promised.class);
                assertThat(gateway.ask(read(0))).isEqualTo(new Reply.Data(block(1)));
            }
        }
    }

    @Test
    void shouldRefuseToStartWhenTheFolderIsNotItsOwn() throws Exception {
        try (BrickProcess brick = BrickProcess.start(folder, BrickProcess.ANY_PORT)) {
            PeerResult second = refused(folder);
            assertThat(second.exitCode()).isEqualTo(1);
            assertThat(second.stderr()).contains("brick folder is in use", "pid=");
            assertThat(brick.stop().exitCode()).isZero();
        }
        PeerResult missing = refused(folder.resolve("none"));
        assertThat(missing.exitCode()).isEqualTo(1);
        assertThat(missing.stderr()).contains("folder of the brick is missing", "mounted");
        Path letters = Files.createDirectory(folder.resolve("letters"));
        Files.writeString(letters.resolve("letter"), "text");
        PeerResult foreign = refused(letters);
        assertThat(foreign.exitCode()).isEqualTo(1);
        assertThat(foreign.stderr()).contains("folder is no brick");
        PeerResult exposed =
                BrickProcess.command(
                                Files.createDirectory(folder.resolve("new")),
                                new BrickAddress("0.0.0.0", 0))
                        .run();
        assertThat(exposed.exitCode()).isEqualTo(1);
        assertThat(exposed.stderr()).contains("address needs TLS");
    }

    @Test
    void shouldServeAFormattedBrickAndRefuseADamagedOne() throws Exception {
        Path formatted = folder.resolve("formatted");
        String[] format = {
            "brick",
            "format",
            "--path",
            formatted.toString(),
            "--volume",
            VOLUME.toString(),
            "--index",
            "2",
            "--layout",
            "replica-2-arbiter"
        };
        assertThat(QuoinProgram.run(format).exitCode()).isZero();
        PeerResult twice = QuoinProgram.run(format);
        assertThat(twice.exitCode()).isEqualTo(1);
        assertThat(twice.stderr()).contains("folder of a new brick is not empty");
        try (BrickProcess brick = BrickProcess.start(formatted, BrickProcess.ANY_PORT);
                BrickGateway gateway = new BrickGateway(brick.address(), VOLUME, 2)) {
            assertThat(gateway.awaitConnected().layout()).isEqualTo(Layout.TWO_ARBITER);
            assertThat(brick.stop().exitCode()).isZero();
        }
        Path log = formatted.resolve("meta.log");
        byte[] content = Files.readAllBytes(log);
        content[30] ^= 1; // of the header
        Files.write(log, content);
        PeerResult damaged = refused(formatted);
        assertThat(damaged.exitCode()).isEqualTo(1);
        assertThat(damaged.stderr()).contains("damaged");
        assertThat(Files.readAllBytes(log)).isEqualTo(content);
    }

    @Test
    void shouldNotPoseAsTheMemberWhenItsFolderWasWiped() throws Exception {
        try (BrickProcess brick = BrickProcess.start(folder, BrickProcess.ANY_PORT)) {
            claim(brick);
            assertThat(brick.stop().exitCode()).isZero();
        }
        wipe();
        try (BrickProcess brick = BrickProcess.start(folder, BrickProcess.ANY_PORT);
                BrickGateway gateway = new BrickGateway(brick.address(), VOLUME, 0)) {
            assertThat(gateway.awaitFailure()).contains("refused: no brick yet");
        }
    }

    private void wipe() throws IOException {
        try (Stream<Path> content = Files.walk(folder)) {
            for (Path entry : content.sorted(Comparator.reverseOrder()).toList()) {
                if (!entry.equals(folder)) {
                    Files.delete(entry);
                }
            }
        }
    }

    @Test
    void shouldEndWithAnErrorWhenTheFolderIsTakenAway() throws Exception {
        try (BrickProcess brick = BrickProcess.start(folder, BrickProcess.ANY_PORT)) {
            claim(brick);
            try (BrickGateway gateway = new BrickGateway(brick.address(), VOLUME, 0)) {
                gateway.awaitConnected();
                Files.move(folder.resolve(".quoin"), folder.resolve("moved"));
                assertThat(gateway.awaitDisconnected()).contains("being stopped");
                PeerResult ended = brick.awaitExit();
                assertThat(ended.exitCode()).isEqualTo(1);
                assertThat(ended.stderr())
                        .contains(
                                "ERROR", "Brick cannot be served any more: storage does not work");
            }
        }
    }

    @Test
    void shouldRefuseWritesAndGoOnWhenTheDiskIsFull() throws Exception {
        List<String> mount = List.of("mount", "-t", "tmpfs", "-o", "size=24m", "none");
        assumeTrue(
                PeerCommand.of(Stream.concat(mount.stream(), Stream.of(folder.toString())).toList())
                                .run()
                                .exitCode()
                        == 0,
                "needs the right to mount a tmpfs");
        try {
            fill();
        } finally {
            PeerCommand.of(List.of("umount", "-l", folder.toString())).run();
        }
    }

    private void fill() throws Exception {
        int written = 0;
        try (BrickProcess brick = BrickProcess.start(folder, BrickProcess.ANY_PORT)) {
            claim(brick);
            try (BrickGateway gateway = new BrickGateway(brick.address(), VOLUME, 0)) {
                gateway.awaitConnected();
                gateway.ask(new Request.Promise());
                Reply.Result result = gateway.ask(write(written));
                while (result.equals(new Reply.Done())) {
                    result = gateway.ask(write(++written));
                }
                assertThat(result).isEqualTo(new Reply.NoSpace());
                assertThat(written).isGreaterThan(10);
                assertThat(gateway.ask(write(0))).isEqualTo(new Reply.NoSpace());
                assertThat(gateway.ask(new Request.Flush())).isEqualTo(new Reply.Done());
                assertThat(gateway.ask(read(written - 1)))
                        .isEqualTo(new Reply.Data(block(written)));
            }
            assertThat(brick.stop().exitCode()).isZero();
        }
        try (BrickProcess brick = BrickProcess.start(folder, BrickProcess.ANY_PORT);
                BrickGateway gateway = new BrickGateway(brick.address(), VOLUME, 0)) {
            gateway.awaitConnected();
            gateway.ask(new Request.Promise());
            for (int i = 0; i < written; i++) {
                assertThat(gateway.ask(read(i))).isEqualTo(new Reply.Data(block(i + 1)));
            }
        }
    }
}
