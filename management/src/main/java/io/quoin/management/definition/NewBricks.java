package io.quoin.management.definition;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.brick.posix.BrickMark;
import io.quoin.management.brick.BrickDaemon;
import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.BrickLink;
import io.quoin.replicate.Layout;
import io.quoin.replicate.Reply;
import io.quoin.replicate.wire.BrickClaim;
import io.quoin.replicate.wire.RemoteBrick;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.loop.NettyLoop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes folders and brick daemons the bricks of a new replicated volume. Folders first: they are
 * given back if it fails, and a daemon that is claimed stays so.
 *
 * <p>Threading: confined to its thread; blocks.
 */
final class NewBricks {
    private static final Logger LOG = LoggerFactory.getLogger(NewBricks.class);
    private static final long UP_SECONDS = 10;

    private final VolumeDefinition volume;
    private final WireOptions wire;
    private final List<Path> formatted = new ArrayList<>();

    /**
     * @param wire how daemons are reached
     */
    NewBricks(VolumeDefinition volume, WireOptions wire) {
        this.volume = volume;
        this.wire = wire;
    }

    /**
     * Formats and marks the folders, and claims the daemons. Durable on return.
     *
     * @return who they are, in their order
     * @throws BlockException EEXIST if a folder is not empty, or a daemon has another brick; else
     *     as {@link BrickDaemon#format} and {@link BrickClaim#claim}; the folders are as before
     */
    List<UUID> make() {
        try {
            return ids();
        } catch (RuntimeException e) {
            undo();
            throw e;
        }
    }

    private List<UUID> ids() {
        List<BrickAddress> bricks = volume.addresses();
        UUID[] ids = new UUID[bricks.size()];
        UUID id = UUID.fromString(volume.id());
        Layout layout = volume.layout();
        for (int i = 0; i < ids.length; i++) {
            Path folder = bricks.get(i).folder();
            if (folder != null) {
                ids[i] = format(folder, id, i % volume.replica(), layout).brick();
            }
        }
        for (int i = 0; i < ids.length; i++) {
            BrickAddress brick = bricks.get(i);
            if (brick.folder() == null) {
                ids[i] = claim(brick, id, i % volume.replica(), layout).brick();
            }
        }
        List<UUID> all = List.of(ids);
        if (new HashSet<>(all).size() != all.size()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "two addresses lead to one brick: bricks="
                            + String.join(", ", volume.bricks()));
        }
        return all;
    }

    /**
     * Makes one brick of a volume that is there, in the place of a lost one. A folder that an
     * attempt which was cut short has formatted is formatted again. Durable on return.
     *
     * @return who it is
     * @throws BlockException EEXIST if the folder is not empty, or the daemon has another brick or
     *     one that was used; else as {@link #make}
     */
    UUID makeOne(int number) {
        BrickAddress brick = volume.addresses().get(number);
        UUID id = UUID.fromString(volume.id());
        int index = number % volume.replica();
        Path folder = brick.folder();
        if (folder == null) {
            BrickIdentity claimed = claim(brick, id, index, volume.layout());
            requireUnused(brick, claimed);
            return claimed.brick();
        }
        boolean isOfThis = BrickMark.read(folder).equals(Optional.of(volume.id()));
        if (isOfThis && BrickDaemon.isFormatted(folder)) {
            BrickDaemon.unformat(folder);
        }
        BrickMark.write(folder, volume.id());
        return format(folder, id, index, volume.layout()).brick();
    }

    /** One that was a brick of the volume before must not come back as a new one. */
    private void requireUnused(BrickAddress brick, BrickIdentity claimed) {
        List<UUID> files;
        try (NettyLoopGroup loops = new NettyLoopGroup(1)) {
            RemoteBrick link =
                    new RemoteBrick(
                            (NettyLoop) loops.next(),
                            wireAddress(brick),
                            claimed.volume(),
                            claimed.index(),
                            claimed.brick(),
                            wire);
            CompletableFuture<Void> up = new CompletableFuture<>();
            link.open(new FirstConnection(up));
            try {
                files =
                        Stages.await(
                                up.orTimeout(UP_SECONDS, TimeUnit.SECONDS)
                                        .thenCompose(none -> link.list()));
            } finally {
                link.close();
            }
        }
        if (!files.isEmpty()) {
            throw new BlockException(
                    BlockError.EEXIST,
                    "brick was used before: brick="
                            + brick.text()
                            + ", files="
                            + files.size()
                            + ", expected=an empty folder under its daemon");
        }
    }

    private static io.quoin.replicate.wire.BrickAddress wireAddress(BrickAddress brick) {
        return new io.quoin.replicate.wire.BrickAddress(
                Objects.requireNonNull(brick.host()), brick.port());
    }

    /** Waits for a link to come up. */
    private record FirstConnection(CompletableFuture<Void> up) implements BrickLink.Listener {
        @Override
        public void connected(BrickIdentity identity) {
            up.complete(null);
        }

        @Override
        public void disconnected(String reason) {}

        @Override
        public void received(UUID file, Reply reply) {}
    }

    private BrickIdentity format(Path folder, UUID id, int index, Layout layout) {
        BrickIdentity identity = BrickDaemon.format(folder, id, index, layout);
        formatted.add(folder);
        BrickMark.write(folder, volume.id());
        return identity;
    }

    private BrickIdentity claim(BrickAddress brick, UUID id, int index, Layout layout) {
        return BrickClaim.claim(wireAddress(brick), wire, id, index, layout);
    }

    /** Gives the folders back. */
    void undo() {
        for (Path folder : formatted) {
            try {
                BrickDaemon.unformat(folder);
                BrickMark.remove(folder);
            } catch (RuntimeException e) {
                LOG.error("Folder stays a brick of no volume: {}", e.getMessage());
            }
        }
    }
}
