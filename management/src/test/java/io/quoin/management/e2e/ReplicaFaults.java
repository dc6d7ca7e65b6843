package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Does harm to the bricks of a volume, in an order that its seed decides. */
final class ReplicaFaults {
    /** What passes: no brick forgets anything. */
    enum Passing {
        /** SIGKILL and a new process. */
        KILL,
        /** SIGSTOP and SIGCONT. */
        FREEZE,
        /** The brick hears nothing. */
        CUT_TO_BRICK,
        /** It is not heard. */
        CUT_FROM_BRICK,
        /** Neither. */
        CUT_BOTH,
        /** SIGTERM and a new process. */
        RESTART;

        /** Whether the process ends, perhaps amid a flush. */
        private boolean isEnd() {
            return this == KILL || this == RESTART;
        }
    }

    /** What one brick loses. */
    enum Loss {
        FLIP,
        WIPE,
        ROLL_BACK
    }

    private static final long SHORT_MILLIS = 2_500;
    private static final long STALL_SECONDS = 30;
    private static final long REPAIR_SECONDS = 60;

    /** Names and a disk, one after the other, wait for a brick that has lost nothing. */
    private static final long REOPEN_SECONDS = 90;

    private static final long SETTLED_SECONDS = 25;
    private static final int BLOCK_BYTES = 4096;

    private final ReplicaVolume volume;
    private final Random random;
    private final Consumer<String> timeline;
    private final List<Passing> deck = new ArrayList<>();
    private final Map<Passing, Integer> passed = new EnumMap<>(Passing.class);
    private final Map<Loss, Integer> lost = new EnumMap<>(Loss.class);
    private long longestStallMillis;
    private int killsOfAll;
    private long lastLossNanos = System.nanoTime();

    /**
     * @param timeline takes what is done
     */
    ReplicaFaults(ReplicaVolume volume, long seed, Consumer<String> timeline) {
        this.volume = volume;
        this.random = new Random(seed);
        this.timeline = timeline;
    }

    private Passing next() {
        if (deck.isEmpty()) {
            deck.addAll(Arrays.asList(Passing.values()));
            Collections.shuffle(deck, random);
        }
        return deck.remove(deck.size() - 1);
    }

    private int anyBrick() {
        return random.nextInt(volume.bricks().size());
    }

    private void note(String what) {
        timeline.accept(volume.name() + ": " + what);
    }

    /** Faults that pass: one that guests get over, one that is short, several at once. */
    void passing() throws IOException, InterruptedException {
        guestsGetOver(next());
        volume.awaitHealed(); // the only one in sync could lose what is not flushed
        begin(next(), anyBrick(), true);
        volume.awaitHealed();
        Passing first = next();
        Passing second = next();
        while (first.isEnd() && second.isEnd() && volume.shape().isOfTwo()) {
            second = next(); // both could lose it
        }
        int brick = anyBrick();
        int other = (brick + 1 + random.nextInt(volume.bricks().size() - 1)) % bricks();
        begin(first, brick, false);
        Thread.sleep(random.nextInt(500));
        begin(second, other, false);
        Thread.sleep(random.nextInt((int) SHORT_MILLIS));
        end(first, brick);
        Thread.sleep(random.nextInt(500));
        end(second, other);
        volume.awaitProgress(2 * STALL_SECONDS);
    }

    private int bricks() {
        return volume.bricks().size();
    }

    /** With all else whole, one brick that is not needed: guests go on without it. */
    private void guestsGetOver(Passing fault) throws IOException, InterruptedException {
        volume.awaitHealed();
        int brick = anyBrick();
        while (!volume.shape().isSpare(brick)) {
            brick = anyBrick();
        }
        volume.guests().forEach(SteadyGuest::resetLongest);
        begin(fault, brick, false);
        volume.awaitProgress(STALL_SECONDS);
        for (SteadyGuest guest : volume.guests()) {
            longestStallMillis = Math.max(longestStallMillis, guest.longestMillis());
        }
        end(fault, brick);
    }

    private void begin(Passing fault, int number, boolean isShort)
            throws IOException, InterruptedException {
        ReplicaBrick brick = volume.bricks().get(number);
        note(fault + " of brick " + number + (isShort ? ", short" : ""));
        passed.merge(fault, 1, Integer::sum);
        switch (fault) {
            case KILL -> brick.kill();
            case RESTART -> brick.stop();
            case FREEZE -> brick.signal("STOP");
            case CUT_TO_BRICK -> brick.proxy().cut(CutProxy.Direction.TO_BRICK);
            case CUT_FROM_BRICK -> brick.proxy().cut(CutProxy.Direction.FROM_BRICK);
            case CUT_BOTH -> {
                brick.proxy().cut(CutProxy.Direction.TO_BRICK);
                brick.proxy().cut(CutProxy.Direction.FROM_BRICK);
            }
        }
        if (isShort) {
            Thread.sleep(random.nextInt((int) SHORT_MILLIS));
            end(fault, number);
        }
    }

    private void end(Passing fault, int number) {
        ReplicaBrick brick = volume.bricks().get(number);
        note("end of " + fault + " of brick " + number);
        switch (fault) {
            case KILL, RESTART -> brick.start();
            case FREEZE -> brick.signal("CONT");
            case CUT_TO_BRICK, CUT_FROM_BRICK, CUT_BOTH -> brick.proxy().join();
        }
    }

    /** Perhaps one more while the gateway is away. */
    void whileTheGatewayIsAway() throws IOException {
        if (random.nextBoolean()) {
            int brick = anyBrick();
            note("KILL of brick " + brick + " with the gateway");
            volume.bricks().get(brick).kill();
            volume.bricks().get(brick).start();
        }
    }

    /**
     * One brick loses something; all is healed before. One that is put back in time is refused, and
     * then wiped; after that the gateway is started anew.
     */
    void lose(Loss loss) throws IOException, InterruptedException {
        volume.compare();
        int brick = anyBrick();
        while (!volume.shape().isSpare(brick) && loss != Loss.FLIP) {
            brick = anyBrick();
        }
        lost.merge(loss, 1, Integer::sum);
        switch (loss) {
            case FLIP -> flip();
            case WIPE -> wipe(brick);
            case ROLL_BACK -> rollBack(brick);
        }
    }

    /**
     * Every brick is killed at once. A flush is under way on each most of the time: then each may
     * have lost writes, and guests are told by an error; they attach their disks anew, and that is
     * all that is done.
     */
    void killAll() throws InterruptedException {
        volume.awaitHealed();
        for (SteadyGuest guest : volume.guests()) {
            assertThat(guest.errors()).isEmpty();
        }
        note("KILL of all bricks");
        volume.bricks().forEach(ReplicaBrick::kill);
        volume.bricks().forEach(ReplicaBrick::start);
        note("all bricks are there again");
        volume.awaitProgress(REOPEN_SECONDS);
        volume.awaitHealed();
        volume.guests().forEach(guest -> guest.takeErrors().forEach(this::note));
        killsOfAll++;
    }

    private void wipe(int number) throws IOException {
        note("WIPE of brick " + number);
        ReplicaBrick brick = volume.bricks().get(number);
        brick.kill();
        brick.wipe();
        brick.start();
        volume.replace(number);
        lastLossNanos = System.nanoTime();
    }

    private void rollBack(int number) throws IOException, InterruptedException {
        ReplicaBrick brick = volume.bricks().get(number);
        note("copy of brick " + number);
        brick.kill();
        brick.copy();
        brick.start();
        volume.awaitHealed();
        volume.awaitProgress(STALL_SECONDS);
        note("ROLL_BACK of brick " + number);
        brick.kill();
        brick.rollBack();
        brick.start();
        volume.awaitRefused(number, "has been rolled back");
        volume.awaitProgress(STALL_SECONDS);
        wipe(number);
    }

    /** A bit of the archive on the first brick of a set, where its checksum binds. */
    private void flip() throws IOException, InterruptedException {
        long settled = lastLossNanos + TimeUnit.SECONDS.toNanos(SETTLED_SECONDS);
        TimeUnit.NANOSECONDS.sleep(Math.max(0, settled - System.nanoTime()));
        int slot = random.nextInt(ReplicaVolume.ARCHIVE_SLOTS);
        int sector = slot * StampedDisk.SLOT_SECTORS + random.nextInt(StampedDisk.SLOT_SECTORS);
        byte[] content = StampedDisk.content(sector, 1, slot + 1L).array();
        for (int number = 0; number < bricks(); number++) {
            if (volume.shape().index(number) == 0 && flip(number, content)) {
                return;
            }
        }
        throw new AssertionError(volume.name() + ": no brick has sector " + sector);
    }

    private boolean flip(int number, byte[] content) throws IOException, InterruptedException {
        for (Path file : volume.bricks().get(number).dataFiles()) {
            long at = find(file, content);
            if (at >= 0) {
                awaitChecksum(file, at);
                note("FLIP in " + file + " at " + at);
                byte[] flipped = content.clone();
                flipped[random.nextInt(content.length)] ^= (byte) (1 << random.nextInt(8));
                write(file, at, flipped);
                awaitContent(file, at, content);
                return true;
            }
        }
        return false;
    }

    private static long find(Path file, byte[] content) throws IOException {
        byte[] all = Files.readAllBytes(file);
        for (int at = 0; at + content.length <= all.length; at += content.length) {
            if (Arrays.equals(all, at, at + content.length, content, 0, content.length)) {
                return at;
            }
        }
        return -1;
    }

    private static void awaitChecksum(Path file, long at) throws IOException, InterruptedException {
        Path checksums = Path.of(file.toString().replace(".data", ".csum"));
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(REPAIR_SECONDS);
        while (ByteBuffer.wrap(read(checksums, at / BLOCK_BYTES * Integer.BYTES, Integer.BYTES))
                        .getInt()
                == 0) {
            if (System.nanoTime() > end) {
                throw new AssertionError("no checksum: " + file + " at " + at);
            }
            Thread.sleep(100);
        }
        Thread.sleep(3_000); // the log says so after that
    }

    /** The guest that reads the archive has it repaired. */
    private void awaitContent(Path file, long at, byte[] content)
            throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(REPAIR_SECONDS);
        while (!Arrays.equals(read(file, at, content.length), content)) {
            volume.requireNoFault();
            if (System.nanoTime() > end) {
                throw new AssertionError("not repaired: " + file + " at " + at);
            }
            Thread.sleep(100);
        }
    }

    private static byte[] read(Path file, long at, int length) throws IOException {
        byte[] bytes = new byte[length];
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "r")) {
            open.seek(at);
            int count = open.read(bytes);
            return count < length ? new byte[length] : bytes;
        }
    }

    private static void write(Path file, long at, byte[] bytes) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.seek(at);
            open.write(bytes);
        }
    }

    String summary() {
        return volume.name()
                + ": passing="
                + passed
                + ", losses="
                + lost
                + ", kills of all="
                + killsOfAll
                + ", longest stall without one brick ms="
                + longestStallMillis;
    }
}
