package io.quoin.block.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.ScriptedDevice;
import io.quoin.block.ScriptedDevice.Timing;
import io.quoin.block.ring.DiskRing;
import io.quoin.block.ring.RingOptions;
import io.quoin.block.ring.RingThread;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DiskChannelTest {
    private static final int SIZE = 1 << 20;

    private final RingThread thread = RingThread.start("disk");
    private final ScriptedDevice device = new ScriptedDevice(SIZE, Timing.AT_ONCE, thread);
    private final DiskRing ring =
            DiskRing.create(
                    device, thread, thread::inThread, thread.requests(), RingOptions.defaults());
    private final Disk disk = Disk.over("vm1", ring, ring::close);

    @AfterEach
    void close() {
        disk.close();
        thread.close();
    }

    @Test
    void shouldWorkAsStreamsWhenWrapped() throws IOException {
        byte[] bytes = new byte[SIZE];
        new Random(7).nextBytes(bytes);
        try (OutputStream out = Channels.newOutputStream(DiskChannel.over(disk))) {
            out.write(bytes);
        }
        ByteArrayOutputStream copy = new ByteArrayOutputStream();
        try (InputStream in = Channels.newInputStream(DiskChannel.over(disk))) {
            in.transferTo(copy);
        }
        assertThat(copy.toByteArray()).isEqualTo(bytes);
    }

    @Test
    void shouldStopAtTheEndWhenBuffersReachBeyondIt() throws IOException {
        DiskChannel channel = DiskChannel.over(disk);
        ByteBuffer source = ByteBuffer.allocate(100).put(0, (byte) 1);
        assertThat(channel.position(SIZE - 60).write(source)).isEqualTo(60);
        assertThat(source.position()).isEqualTo(60);
        assertThatThrownBy(() -> channel.write(source))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("position=1048576");
        assertThat(channel.write(ByteBuffer.allocate(0))).isZero();

        ByteBuffer target = ByteBuffer.allocateDirect(100);
        assertThat(channel.position(SIZE - 60).read(target)).isEqualTo(60);
        assertThat(target.position()).isEqualTo(60);
        assertThat(target.get(0)).isEqualTo((byte) 1);
        assertThat(channel.read(target)).isEqualTo(-1);
        assertThat(channel.position(SIZE * 2L).read(target)).isEqualTo(-1);
        assertThat(channel.read(ByteBuffer.allocate(0))).isZero();
        assertThat(channel.position()).isEqualTo(SIZE * 2L);
    }

    @Test
    void shouldKeepTheSizeWhenTruncated() throws IOException {
        DiskChannel channel = DiskChannel.over(disk).position(SIZE + 10L);
        assertThat(channel.truncate(SIZE + 5L).position()).isEqualTo(SIZE + 5L);
        assertThat(channel.truncate(SIZE).position()).isEqualTo(SIZE);
        assertThat(channel.size()).isEqualTo(SIZE);
        assertThatThrownBy(() -> channel.truncate(SIZE - 1))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("fixed");
        assertThatThrownBy(() -> channel.truncate(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> channel.position(-1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldRefuseWritesWhenReadOnly() throws IOException {
        DiskChannel channel = DiskChannel.over(disk, DiskMode.READ_ONLY);
        assertThatThrownBy(() -> channel.write(ByteBuffer.allocate(1)))
                .isInstanceOf(NonWritableChannelException.class);
        assertThatThrownBy(() -> channel.truncate(SIZE))
                .isInstanceOf(NonWritableChannelException.class);
        assertThat(channel.read(ByteBuffer.allocate(10))).isEqualTo(10);
    }

    @Test
    void shouldFailAsAChannelWhenTheDiskFails() {
        DiskChannel channel = DiskChannel.over(disk);
        thread.execute(() -> device.failNext(BlockError.EIO));
        ByteBuffer target = ByteBuffer.allocate(10);
        assertThatThrownBy(() -> channel.read(target))
                .isInstanceOf(IOException.class)
                .hasCauseInstanceOf(BlockException.class);
        assertThat(target.position()).isZero();
        thread.execute(() -> device.failNext(BlockError.EIO));
        assertThatThrownBy(channel::force).isInstanceOf(IOException.class);
    }

    @Test
    void shouldRefuseEverythingWhenClosed() {
        DiskChannel channel = DiskChannel.over(disk);
        channel.close();
        channel.close();
        assertThat(channel.isOpen()).isFalse();
        assertThatThrownBy(channel::size).isInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(channel::position).isInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> channel.read(ByteBuffer.allocate(1)))
                .isInstanceOf(ClosedChannelException.class);
        disk.read(0, ByteBuffer.allocate(1));
    }
}
