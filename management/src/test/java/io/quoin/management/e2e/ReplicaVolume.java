package io.quoin.management.e2e;

import io.quoin.block.BlockException;
import io.quoin.management.operation.DiskCreate;
import io.quoin.management.operation.VolumeCreate;
import io.quoin.management.operation.VolumeStart;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * A replicated volume over brick daemons, with guests on three of its disks: a raw one, of which
 * every acknowledged write must survive; a qcow2 image, of which every flushed one must; and an
 * archive, which is written once and read.
 */
final class ReplicaVolume implements AutoCloseable {
    static final String ARCHIVE = "archive";
    static final int ARCHIVE_SLOTS = 16;

    private static final long LIMIT_SECONDS = 120;
    private static final long LOOK_MILLIS = 100;
    private static final long RAW_BYTES = 16 << 20;
    private static final long IMAGE_BYTES = 32 << 20;
    private static final long ARCHIVE_BYTES = 4 << 20;
    private static final int SLOTS = 64;
    private static final String BRICK_ID = "option brick-id ";

    private final ReplicaShape shape;
    private final ReplicaGateway gateway;
    private final List<ReplicaBrick> bricks;
    private final UUID[] ids;
    private final List<SteadyGuest> guests = new ArrayList<>();
    private final StampedDisk archive;
    private final ReplicaHealth health;
    private final UUID id;

    ReplicaVolume(ReplicaShape shape, ReplicaGateway gateway, List<ReplicaBrick> bricks, long seed)
            throws IOException {
        this.shape = shape;
        this.gateway = gateway;
        this.bricks = bricks;
        this.ids = new UUID[bricks.size()];
        this.health = new ReplicaHealth(gateway, shape);
        Random random = new Random(seed);
        archive = new StampedDisk(random, ARCHIVE_BYTES, ARCHIVE_SLOTS);
        List<String> addresses = bricks.stream().map(brick -> brick.address().toString()).toList();
        id = UUID.fromString(gateway.call(VolumeCreate.TYPE, shape.create(addresses)).id());
        for (int i = 0; i < ids.length; i++) {
            ids[i] = bricks.get(i).claim(id, shape.layout()); // is it already
        }
        gateway.call(VolumeStart.TYPE, new VolumeStart.Request(name()));
        create("raw", RAW_BYTES, "raw");
        create("image", IMAGE_BYTES, "qcow2");
        create(ARCHIVE, ARCHIVE_BYTES, "raw");
        writeArchive();
        addGuest("raw", new StampedDisk(random, RAW_BYTES, SLOTS), random, true, false);
        addGuest("image", new StampedDisk(random, IMAGE_BYTES, SLOTS), random, false, false);
        addGuest(ARCHIVE, archive, random, true, true);
    }

    private void create(String disk, long sizeBytes, String format) {
        gateway.call(
                DiskCreate.TYPE,
                new DiskCreate.Request(name() + "/" + disk, sizeBytes, Map.of("format", format)));
    }

    private void writeArchive() throws IOException {
        try (NbdConnection connection = NbdConnection.open(gateway.uri(name() + "/" + ARCHIVE))) {
            for (int slot = 0; slot < ARCHIVE_SLOTS; slot++) {
                int first = slot * StampedDisk.SLOT_SECTORS;
                archive.maybe(first, StampedDisk.SLOT_SECTORS, slot + 1);
                connection.request(
                        NbdConnection.WRITE,
                        NbdConnection.FLAG_FUA,
                        0,
                        archive.offset(slot),
                        StampedDisk.content(first, StampedDisk.SLOT_SECTORS, slot + 1));
                connection.reply();
                archive.durable(first, StampedDisk.SLOT_SECTORS, slot + 1);
            }
        }
    }

    private void addGuest(
            String disk, StampedDisk stamped, Random random, boolean isRaw, boolean isReader) {
        NbdUri uri = gateway.uri(name() + "/" + disk);
        SteadyGuest guest = new SteadyGuest(uri, stamped, random.nextLong(), isRaw, isReader);
        guests.add(guest);
        guest.start();
    }

    String name() {
        return shape.text();
    }

    ReplicaShape shape() {
        return shape;
    }

    List<ReplicaBrick> bricks() {
        return bricks;
    }

    List<SteadyGuest> guests() {
        return guests;
    }

    /** After a restart of the gateway: started by hand if it could not be opened then. */
    void start() throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!health.isServed()) {
            try {
                gateway.call(VolumeStart.TYPE, new VolumeStart.Request(name()));
            } catch (BlockException notYet) {
                if (System.nanoTime() > end) {
                    throw notYet;
                }
                Thread.sleep(LOOK_MILLIS);
            }
        }
    }

    /**
     * Has the brick, whose folder is empty, be a new one of the volume. The gateway knows it from
     * its next start on.
     */
    void replace(int brick) throws IOException {
        Path volfile = gateway.volfile(name());
        UUID before = ids[brick];
        ids[brick] = bricks.get(brick).claim(id, shape.layout());
        String text = Files.readString(volfile);
        Files.writeString(volfile, text.replace(BRICK_ID + before, BRICK_ID + ids[brick]));
    }

    /** Waits until each guest has had work done that it began after this call. */
    void awaitProgress(long seconds) throws InterruptedException {
        for (SteadyGuest guest : guests) {
            guest.awaitProgress(seconds);
        }
    }

    /** Waits until every brick is there and has everything. */
    void awaitHealed() throws InterruptedException {
        health.awaitHealed(guests.size(), this::requireNoFault);
    }

    /** Waits until the brick is refused for that reason. */
    void awaitRefused(int brick, String reason) throws InterruptedException {
        health.awaitRefused(brick, reason);
    }

    /** Waits until a file has that role on the brick. */
    void awaitRole(int brick, String role) throws InterruptedException {
        health.awaitRole(brick, role);
    }

    /** Waits until a file does not count on the brick. */
    void awaitLeftOut(int brick) throws InterruptedException {
        health.awaitLeftOut(brick);
    }

    /** Every data brick of a set has the same bytes once guests are quiet and all is healed. */
    void compare() throws IOException, InterruptedException {
        awaitHealed();
        for (SteadyGuest guest : guests) {
            guest.pause(LIMIT_SECONDS);
        }
        awaitHealed();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        String difference = difference();
        while (!difference.isEmpty()) {
            if (System.nanoTime() > end) {
                throw new AssertionError(name() + " has different copies: " + difference);
            }
            Thread.sleep(LOOK_MILLIS);
            difference = difference();
        }
        guests.forEach(SteadyGuest::goOn);
    }

    private String difference() throws IOException {
        int size = shape.layout().voters();
        for (int first = 0; first < bricks.size(); first += size) {
            for (int i = 1; i < shape.layout().dataBricks(); i++) {
                String difference = difference(bricks.get(first), bricks.get(first + i));
                if (!difference.isEmpty()) {
                    return difference;
                }
            }
        }
        return "";
    }

    private static String difference(ReplicaBrick one, ReplicaBrick other) throws IOException {
        SortedSet<String> names = new TreeSet<>();
        one.dataFiles().forEach(file -> names.add(file.getFileName().toString()));
        other.dataFiles().forEach(file -> names.add(file.getFileName().toString()));
        for (String name : names) {
            Path left = one.folder().resolve(name);
            Path right = other.folder().resolve(name);
            if (!Files.exists(left) || !Files.exists(right)) {
                return name + " is missing in " + (Files.exists(left) ? right : left).getParent();
            }
            long at = Files.mismatch(left, right);
            if (at >= 0) {
                return left + " and " + right + " at " + at;
            }
        }
        return "";
    }

    /** Nothing that a guest has read was wrong, and no daemon has failed. */
    void requireNoFault() {
        guests.forEach(SteadyGuest::requireNoFault);
        for (ReplicaBrick brick : bricks) {
            requireNoStack(brick.log());
        }
    }

    static void requireNoStack(String log) {
        if (Pattern.compile("^\\s+at |Exception in thread", Pattern.MULTILINE)
                .matcher(log)
                .find()) {
            throw new AssertionError("a program has failed: " + log);
        }
    }

    /** Ends the guests and the daemons. */
    @Override
    public void close() throws IOException {
        try {
            for (SteadyGuest guest : guests) {
                guest.end();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (ReplicaBrick brick : bricks) {
            brick.close();
        }
    }
}
