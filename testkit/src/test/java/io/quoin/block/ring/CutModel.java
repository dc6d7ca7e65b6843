package io.quoin.block.ring;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.testkit.sim.VirtualLoop;
import io.quoin.testkit.sim.VirtualLoopGroup;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One run of random requests, holds, cuts, fences and closes over several rings. Applications write
 * number n to a disk only after number n - 1, on any disk, was answered. Checked are:
 *
 * <ul>
 *   <li>when an action runs, nothing is in flight on any ring of its cut, everything published
 *       before the cut was asked for is done, and nothing behind the holds has begun;
 *   <li>until a cut has succeeded, its devices are given nothing;
 *   <li>the disks of a cut hold a prefix of what each application wrote to them, with all that was
 *       published before;
 *   <li>requests begin in their order and are answered once, and no hold lasts beyond its limit.
 * </ul>
 */
final class CutModel {
    private static final int STEPS = 3_000;
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);

    /** What became of cuts and holds. */
    enum Outcome {
        CUT,
        CUT_BEFORE_QUIET_FAILED,
        CUT_WHILE_RUNNING_FAILED,
        CUT_REFUSED,
        CUT_CLOSED,
        HOLD_RELEASED,
        HOLD_EXPIRED,
        NO_ROOM,
        WAITED_BEHIND_A_CUT
    }

    private final Random random;
    private final VirtualLoopGroup group;
    private final List<ModelRing> rings = new ArrayList<>();
    private final List<Application> applications = new ArrayList<>();
    private final List<CompletableFuture<Void>> pending = new ArrayList<>();
    private final List<Throwable> failures = new ArrayList<>();
    private final Map<Outcome, Integer> outcomes = new EnumMap<>(Outcome.class);
    private final boolean mayFence;
    private final boolean mayClose;
    private boolean isEnding;

    CutModel(long seed) {
        random = new Random(seed);
        mayFence = random.nextInt(3) == 0;
        mayClose = random.nextInt(3) == 0;
        group = VirtualLoopGroup.random(1 + random.nextInt(3), seed);
        int ringCount = 1 + random.nextInt(4);
        for (int i = 0; i < ringCount; i++) {
            rings.add(new ModelRing(i, group.next(), random));
        }
        for (int i = 0; i <= random.nextInt(4); i++) {
            applications.add(new Application(i));
        }
    }

    Map<Outcome, Integer> outcomes() {
        return outcomes;
    }

    void run() {
        applications.forEach(application -> somewhere(application::writeNext));
        for (int i = 0; i < STEPS; i++) {
            somewhere(this::step);
            group.advance((long) (random.nextDouble() * MILLI / 4));
            assertThat(failures).isEmpty();
        }
        isEnding = true;
        group.runUntilIdle();
        rings.forEach(ModelRing::checkAllAnswered);
        rings.forEach(ring -> pending.add(ring.ring().close().toCompletableFuture()));
        group.runUntilIdle();
        assertThat(failures).isEmpty();
        assertThat(pending).allMatch(CompletableFuture::isDone);
    }

    private void step() {
        ModelRing ring = rings.get(random.nextInt(rings.size()));
        int drawn = random.nextInt(2_000);
        if (drawn < 1_000) {
            request(ring);
        } else if (drawn < 1_080) {
            new CutRun().start();
        } else if (drawn < 1_120) {
            new HoldRun(ring).start();
        } else if (drawn < 1_122 && mayFence) {
            ring.fence();
        } else if (drawn == 1_122 && mayClose) {
            pending.add(ring.ring().close().toCompletableFuture());
        }
    }

    private void request(ModelRing ring) {
        IoOp[] ops = {IoOp.WRITE, IoOp.WRITE, IoOp.READ, IoOp.FLUSH, IoOp.WRITE_ZEROES, IoOp.CACHE};
        for (int i = random.nextInt(3); i >= 0; i--) {
            IoOp op = ops[random.nextInt(ops.length)];
            boolean isFua = op.changesData() && random.nextInt(4) == 0;
            int flags = isFua ? IoFlags.FUA : IoFlags.NONE;
            if (!ring.publish(op, flags, "load", error -> {})) {
                count(Outcome.NO_ROOM);
            }
        }
    }

    /** As a task of any loop, or of none. */
    private void somewhere(Runnable task) {
        int drawn = random.nextInt(group.loops().size() + 1);
        if (drawn == group.loops().size()) {
            task.run();
        } else {
            group.loop(drawn).run(task);
        }
    }

    private void count(Outcome outcome) {
        outcomes.merge(outcome, 1, Integer::sum);
    }

    /** Never more than one write in flight, on any of the disks. */
    private final class Application {
        private final int number;

        /** The disk of each write; its place in the list is the write's number. */
        private final List<ModelRing> writes = new ArrayList<>();

        Application(int number) {
            this.number = number;
        }

        String stamp(int write) {
            return number + ":" + write;
        }

        void writeNext() {
            ModelRing ring = rings.get(random.nextInt(rings.size()));
            writes.add(ring);
            publish(ring);
        }

        private void publish(ModelRing ring) {
            if (!ring.publish(IoOp.WRITE, IoFlags.NONE, stamp(writes.size() - 1), this::answer)) {
                ring.ring().whenRoom(() -> publish(ring));
            }
        }

        private void answer(BlockError error) {
            if (!error.isOk() || isEnding) {
                return;
            }
            VirtualLoop next = group.next();
            if (random.nextBoolean()) {
                next.execute(this::writeNext);
            } else {
                next.schedule((long) (random.nextDouble() * MILLI), this::writeNext);
            }
        }
    }

    /** A holder that comes back, or forgets to. */
    private final class HoldRun implements HoldListener {
        private final ModelRing ring;
        private final int publishedBefore;
        private final long limitNanos = (1 + random.nextInt(10)) * MILLI;
        private final long startNanos = group.nanoTime();
        private @Nullable RingHold hold;
        private int publishedAtStop;
        private boolean isReached;
        private boolean isOver;

        HoldRun(ModelRing ring) {
            this.ring = ring;
            this.publishedBefore = ring.published();
        }

        void start() {
            hold = ring.ring().hold(ring.loop()::schedule, limitNanos, this);
            // Behind the task that stops the ring.
            ring.loop().execute(() -> publishedAtStop = ring.published());
            if (random.nextInt(8) == 0) {
                release();
            }
        }

        @Override
        public void reached() {
            assertThat(ring.loop().inLoop()).isTrue();
            assertThat(isReached || isOver).isFalse();
            isReached = true;
            ring.checkQuiet(publishedBefore, publishedAtStop);
            ring.still(true);
            if (random.nextInt(4) != 0) {
                long delay = (long) (random.nextDouble() * limitNanos);
                group.next().schedule(delay, this::release);
            }
        }

        private void release() {
            if (!isOver) {
                isOver = true;
                endStill();
                count(Outcome.HOLD_RELEASED);
            }
            RingHold held = hold;
            assertThat(held).isNotNull();
            held.release();
        }

        @Override
        public void failed(BlockException cause) {
            assertThat(ring.loop().inLoop()).isTrue();
            assertThat(isOver).isFalse();
            isOver = true;
            endStill();
            boolean isLimit = String.valueOf(cause.getMessage()).contains("limitMillis");
            if (isLimit) {
                count(Outcome.HOLD_EXPIRED);
                assertThat(group.nanoTime() - startNanos).isEqualTo(limitNanos);
            }
        }

        private void endStill() {
            if (isReached) {
                ring.still(false);
            }
        }
    }

    /** A cut of some of the rings. */
    private final class CutRun {
        private final List<ModelRing> members = new ArrayList<>();
        private final List<Integer> publishedBefore = new ArrayList<>();
        private final Map<ModelRing, Integer> publishedAtStop = new HashMap<>();
        private final List<Integer> submitsAtCut = new ArrayList<>();
        private final List<Integer> publishedAtCut = new ArrayList<>();
        private final List<Integer> writesBefore = new ArrayList<>();
        private final Set<String> content = new HashSet<>();
        private final long limitNanos = (1 + random.nextInt(10)) * MILLI;
        private final long startNanos = group.nanoTime();
        private int actionsBegun;
        private int actionsEnded;
        private boolean isOver;

        void start() {
            for (ModelRing ring : rings) {
                if (random.nextInt(3) != 0) {
                    members.add(ring);
                    publishedBefore.add(ring.published());
                }
            }
            if (members.isEmpty()) {
                return;
            }
            applications.forEach(application -> writesBefore.add(published(application)));
            CompletableFuture<Void> result =
                    Cut.start(members.stream().map(this::member).toList(), limitNanos)
                            .toCompletableFuture();
            pending.add(result);
            // Behind the tasks that stop the rings.
            for (ModelRing ring : members) {
                ring.loop().execute(() -> publishedAtStop.put(ring, ring.published()));
            }
            result.whenComplete((none, failure) -> check(failure))
                    .exceptionally(
                            thrown -> {
                                if (!isOperating(thrown)) {
                                    failures.add(thrown);
                                }
                                return null;
                            });
        }

        /** Writes that have been published, so not the last if it waits for room. */
        private int published(Application application) {
            return Math.max(0, application.writes.size() - 1);
        }

        private Cut.Member member(ModelRing ring) {
            return new Cut.Member(
                    "disk " + ring.index(), ring.ring(), ring.loop()::schedule, () -> action(ring));
        }

        private CompletionStage<Void> action(ModelRing ring) {
            assertThat(ring.loop().inLoop()).isTrue();
            assertThat(isOver).isFalse();
            for (int i = 0; i < members.size(); i++) {
                ModelRing member = members.get(i);
                member.checkQuiet(publishedBefore.get(i), publishedAtStop.get(member));
            }
            if (actionsBegun++ == 0) {
                members.forEach(member -> submitsAtCut.add(member.submits()));
                members.forEach(member -> publishedAtCut.add(member.published()));
            }
            content.addAll(ring.applied());
            int drawn = random.nextInt(20);
            if (drawn == 0) {
                actionsEnded++;
                throw new BlockException(BlockError.ENOSPC, "drawn");
            }
            if (drawn < 12) {
                actionsEnded++;
                return CompletableFuture.completedFuture(null);
            }
            CompletableFuture<Void> later = new CompletableFuture<>();
            long delay = (long) (random.nextDouble() * limitNanos * (drawn == 19 ? 2 : 0.3));
            group.next()
                    .schedule(
                            delay,
                            () -> {
                                actionsEnded++;
                                later.complete(null);
                            });
            return later;
        }

        private void check(@Nullable Throwable failure) {
            assertThat(isOver).isFalse();
            isOver = true;
            assertThat(actionsEnded).as("told when all have ended").isEqualTo(actionsBegun);
            assertThat(group.nanoTime() - startNanos)
                    .isLessThanOrEqualTo(actionsBegun == 0 ? limitNanos : 3 * limitNanos);
            if (failure == null) {
                checkContent();
                count(Outcome.CUT);
            } else if (failure instanceof BlockException cause) {
                count(outcome(cause));
            } else {
                throw new AssertionError("an error of the program", failure);
            }
        }

        private Outcome outcome(BlockException cause) {
            String message = String.valueOf(cause.getMessage());
            if (message.contains("held already")) {
                assertThat(actionsBegun).isZero();
                return Outcome.CUT_REFUSED;
            }
            if (message.contains("close")) {
                return Outcome.CUT_CLOSED;
            }
            if (message.contains("come to rest")) {
                assertThat(actionsBegun).isZero();
                return Outcome.CUT_BEFORE_QUIET_FAILED;
            }
            return actionsBegun == 0
                    ? Outcome.CUT_BEFORE_QUIET_FAILED
                    : Outcome.CUT_WHILE_RUNNING_FAILED;
        }

        private void checkContent() {
            assertThat(actionsBegun).isEqualTo(members.size());
            for (int i = 0; i < members.size(); i++) {
                ModelRing member = members.get(i);
                assertThat(member.submits())
                        .as("given to disk %d meanwhile", member.index())
                        .isEqualTo(submitsAtCut.get(i));
                if (member.published() > publishedAtCut.get(i)) {
                    count(Outcome.WAITED_BEHIND_A_CUT);
                }
            }
            for (int i = 0; i < applications.size(); i++) {
                checkPrefix(applications.get(i), writesBefore.get(i));
            }
        }

        private void checkPrefix(Application application, int writesBeforeCut) {
            boolean isMissing = false;
            for (int write = 0; write < application.writes.size(); write++) {
                if (!members.contains(application.writes.get(write))) {
                    continue;
                }
                String stamp = application.stamp(write);
                boolean isThere = content.contains(stamp);
                assertThat(isThere && isMissing).as("%s without one before", stamp).isFalse();
                isMissing |= !isThere;
                assertThat(isMissing && write < writesBeforeCut).as("%s lost", stamp).isFalse();
            }
        }

        private boolean isOperating(Throwable thrown) {
            return thrown instanceof BlockException
                    || (thrown instanceof CompletionException
                            && thrown.getCause() instanceof BlockException);
        }
    }
}
