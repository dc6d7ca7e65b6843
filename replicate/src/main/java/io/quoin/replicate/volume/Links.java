package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.BrickLink;
import io.quoin.replicate.Layout;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.xlator.loop.Loop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The links to the bricks of a replica set, which all of its files share.
 *
 * <p>Threading: thread-safe.
 */
final class Links {
    private static final Logger LOG = LoggerFactory.getLogger(Links.class);

    /** How long a majority of answers waits for the others. */
    private static final long GATHER_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** How long answers are waited for at all. */
    private static final long ANSWER_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final String node;
    private final UUID volume;
    private final Layout layout;
    private final Loop loop;
    private final SeenStarts seen;
    private final List<Link> links = new CopyOnWriteArrayList<>();
    private final Map<UUID, User> users = new ConcurrentHashMap<>();

    /** What a file's gateway is told, each on its link's loop. */
    interface User {
        void connected(int brick);

        void disconnected(int brick);

        void received(Reply reply);
    }

    /**
     * @param seen how each brick was when it was reached last
     * @param loop for timers
     */
    Links(
            String node,
            UUID volume,
            Layout layout,
            List<BrickLink> links,
            SeenStarts seen,
            Loop loop) {
        this.node = node;
        this.volume = volume;
        this.layout = layout;
        this.seen = seen;
        this.loop = loop;
        for (int brick = 0; brick < links.size(); brick++) {
            this.links.add(new Link(brick, links.get(brick)));
        }
    }

    void open() {
        links.forEach(link -> link.to.open(link));
    }

    void close() {
        for (Link link : links) {
            link.to.close();
            link.identity = null;
        }
    }

    /** Lets go of a brick, as if its link had gone down; nothing of it is heard any more. */
    void release(int brick) {
        Link link = links.get(brick);
        link.release();
        link.to.close();
    }

    /** Uses another link in the place of one that was released. */
    void take(int brick, BrickLink by) {
        Link link = new Link(brick, by);
        links.set(brick, link);
        by.open(link);
    }

    Layout layout() {
        return layout;
    }

    /** Has the file's replies, and what becomes of links, told to the user. */
    void attach(UUID file, User user) {
        users.put(file, user);
    }

    /** Takes back an {@link #attach}. */
    void detach(UUID file, User user) {
        users.remove(file, user);
    }

    /** Sends, or drops while the link is down. */
    void send(UUID file, int brick, Request request) {
        Link link = links.get(brick);
        if (link.identity != null) {
            link.to.send(file, request);
        }
    }

    /** Whether the brick can be reached. */
    boolean isUp(int brick) {
        return links.get(brick).identity != null;
    }

    /** Whether enough bricks can be reached for the volume to work. */
    boolean isMajorityUp() {
        Set<Integer> up = new TreeSet<>();
        for (Link link : links) {
            if (link.identity != null) {
                up.add(link.brick);
            }
        }
        return layout.isMajority(up);
    }

    /** How each link is at present, by brick. */
    List<BrickStatus> statuses() {
        return links.stream().map(Link::status).toList();
    }

    /** Which bricks cannot be reached and why, for people. */
    String unreachable() {
        List<String> texts = new ArrayList<>();
        for (Link link : links) {
            if (link.identity == null) {
                texts.add(link.brick + " (" + link.to.address() + "): " + link.reason());
            }
        }
        return texts.isEmpty() ? "none" : String.join("; ", texts);
    }

    /**
     * Completes, on the loop, once each brick can be reached or is refused, or after that time:
     * links may be about to come up.
     */
    CompletionStage<Void> awaitUp(Duration atMost) {
        CompletableFuture<Void> up = new CompletableFuture<>();
        long endNanos = loop.nanoTime() + atMost.toNanos();
        loop.execute(() -> lookUntil(endNanos, up));
        return up;
    }

    private void lookUntil(long endNanos, CompletableFuture<Void> up) {
        boolean isSettled =
                links.stream().allMatch(link -> link.identity != null || link.refusal != null);
        if (isSettled || loop.nanoTime() - endNanos >= 0) {
            up.complete(null);
        } else {
            loop.schedule(RETRY_NANOS, () -> lookUntil(endNanos, up));
        }
    }

    /**
     * Asks each brick that can be reached, and gives the answers that come: all of them, or those
     * of a majority that the others have kept waiting for a second, or what there is after ten.
     * Completes on any thread; never fails.
     */
    <T> CompletionStage<SortedMap<Integer, T>> askAll(
            Function<BrickLink, CompletionStage<T>> question) {
        Answers<T> answers = new Answers<>();
        for (Link link : links) {
            if (link.identity == null) {
                answers.failed(link.brick, null);
                continue;
            }
            question.apply(link.to)
                    .whenComplete(
                            (answer, failure) -> {
                                if (failure == null) {
                                    answers.answered(link.brick, answer);
                                } else {
                                    answers.failed(link.brick, failure);
                                }
                            });
        }
        Loop.Timer gather = loop.schedule(GATHER_NANOS, () -> answers.endIf(layout::isMajority));
        Loop.Timer last = loop.schedule(ANSWER_NANOS, () -> answers.endIf(bricks -> true));
        return answers.done.whenComplete(
                (all, none) -> {
                    gather.cancel();
                    last.cancel();
                });
    }

    /**
     * As {@link #askAll}, again and again for some seconds until a majority has answered: links may
     * be about to come up. Fails with ENOTCONN otherwise.
     *
     * @param what is asked for, for messages
     */
    <T> CompletionStage<SortedMap<Integer, T>> askMajority(
            Function<BrickLink, CompletionStage<T>> question, String what) {
        CompletableFuture<SortedMap<Integer, T>> done = new CompletableFuture<>();
        askUntil(loop.nanoTime() + ANSWER_NANOS, question, what, done);
        return done;
    }

    private <T> void askUntil(
            long endNanos,
            Function<BrickLink, CompletionStage<T>> question,
            String what,
            CompletableFuture<SortedMap<Integer, T>> done) {
        askAll(question)
                .thenAccept(
                        answers -> {
                            if (layout.isMajority(answers.keySet())) {
                                done.complete(answers);
                            } else if (loop.nanoTime() - endNanos > 0) {
                                done.completeExceptionally(tooFew(what));
                            } else {
                                loop.schedule(
                                        RETRY_NANOS,
                                        () -> askUntil(endNanos, question, what, done));
                            }
                        });
    }

    /** Fails with ENOTCONN, as too few bricks can be reached. */
    BlockException tooFew(String what) {
        return new BlockException(
                BlockError.ENOTCONN,
                "too few bricks can be reached: node="
                        + node
                        + ", for="
                        + what
                        + ", not reached="
                        + unreachable());
    }

    /** The answers to a question so far. */
    private final class Answers<T> {
        private final CompletableFuture<SortedMap<Integer, T>> done = new CompletableFuture<>();
        private final SortedMap<Integer, T> answers = new TreeMap<>();
        private int left = links.size();

        synchronized void answered(int brick, T answer) {
            answers.put(brick, answer);
            count();
        }

        synchronized void failed(int brick, @Nullable Throwable failure) {
            if (failure != null) {
                LOG.debug("Brick has not answered: node={}, brick={}", node, brick, failure);
            }
            count();
        }

        private void count() {
            left--;
            if (left == 0) {
                end();
            }
        }

        synchronized void endIf(Predicate<Set<Integer>> isEnough) {
            if (isEnough.test(answers.keySet())) {
                end();
            }
        }

        /** On the loop: what waits may call back. */
        private void end() {
            SortedMap<Integer, T> all = new TreeMap<>(answers);
            loop.execute(() -> done.complete(all));
        }
    }

    /** One brick's. */
    private final class Link implements BrickLink.Listener {
        private final int brick;
        private final BrickLink to;
        private volatile long sinceMillis;

        /** Null while it is down, or is not the brick that it should be. */
        private volatile @Nullable BrickIdentity identity;

        private volatile @Nullable String refusal;
        private boolean isReleased;

        Link(int brick, BrickLink to) {
            this.brick = brick;
            this.to = to;
        }

        @Override
        public synchronized void connected(BrickIdentity found) {
            if (isReleased) {
                return;
            }
            refusal = refusalOf(found);
            if (refusal != null) {
                LOG.error("Brick refused: node={}, brick={}, reason={}", node, brick, refusal);
                return;
            }
            seen.note(found);
            sinceMillis = System.currentTimeMillis();
            identity = found;
            tellAll(user -> user.connected(brick));
        }

        private @Nullable String refusalOf(BrickIdentity found) {
            if (!found.volume().equals(volume) || found.index() != brick) {
                return "is brick " + found.index() + " of volume " + found.volume();
            } else if (found.layout() != layout) {
                return "has another layout: layout=" + found.layout().text();
            }
            return seen.refusalOf(found);
        }

        synchronized void release() {
            isReleased = true;
            disconnected("released");
            refusal = "is being replaced";
        }

        @Override
        public synchronized void disconnected(String reason) {
            if (identity != null) {
                identity = null;
                sinceMillis = System.currentTimeMillis();
                tellAll(user -> user.disconnected(brick));
            }
        }

        private void tellAll(Consumer<User> event) {
            users.values().forEach(event);
        }

        @Override
        public void received(UUID file, Reply reply) {
            User user = users.get(file);
            if (user != null && reply.brick() == brick && identity != null) {
                user.received(reply);
            }
        }

        String reason() {
            String refused = refusal;
            String failure = to.failure();
            return refused != null ? refused : failure != null ? failure : "not connected yet";
        }

        BrickStatus status() {
            BrickIdentity present = identity;
            return new BrickStatus(
                    brick,
                    to.address(),
                    present,
                    sinceMillis,
                    present == null ? reason() : null,
                    null);
        }
    }
}
