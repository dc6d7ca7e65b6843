package io.quoin.replicate;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The gateway's side of the protocol, for one image: it is the one proposer of its epoch.
 *
 * <p>PROMISING &rarr; RECONCILING &rarr; CONFIGURING &rarr; SERVING &rarr; QUIESCING &rarr;
 * QUIESCED &rarr; SERVING; a member lost in RECONCILING leads back to PROMISING; FENCED and
 * CACHE_LOST are terminal from any state. A gateway that cannot reach what it needs stays in its
 * state, and what it was asked for waits: it is suspended.
 *
 * <p>Threading: one thread.
 */
public class Gateway {
    /** The states. */
    public enum State {
        CLOSED,
        PROMISING,
        RECONCILING,
        CONFIGURING,
        SERVING,
        QUIESCING,
        QUIESCED,
        /** Another gateway has the image. */
        FENCED,
        /** Every in-sync member may have lost acknowledged writes; open the image again. */
        CACHE_LOST
    }

    private final long id;
    private final long epoch;
    private final Layout layout;
    private final Geometry geometry;
    private final Timing timing;
    private final GatewayPort port;
    private final List<Member> members = new ArrayList<>();
    private final List<Member> dataMembers = new ArrayList<>();
    private final Operations operations;
    private final Opening opening;
    private final Healer healer;
    private final Cleaner cleaner;
    private final Membership membership;
    private State state = State.CLOSED;
    private @Nullable Config committed;
    private @Nullable Config proposed;
    private int committedSet;
    private int proposedSet;
    private int accepted;
    private @Nullable Runnable whenQuiesced;
    private long lastSession;
    private boolean isNew;
    private long sizeBytes;

    /**
     * @param id of the gateway: no other has it
     * @param epoch its ballot, higher than those of every gateway before
     */
    @SuppressWarnings("this-escape") // its parts keep it, and call nothing yet
    public Gateway(
            long id,
            long epoch,
            Layout layout,
            Geometry geometry,
            Timing timing,
            GatewayPort port) {
        this.id = id;
        this.epoch = epoch;
        this.layout = layout;
        this.geometry = geometry;
        this.timing = timing;
        this.port = port;
        for (int brick = 0; brick < layout.voters(); brick++) {
            members.add(new Member(brick));
        }
        dataMembers.addAll(members.subList(0, layout.dataBricks()));
        operations = newOperations();
        opening = newOpening();
        healer = newHealer();
        cleaner = newCleaner();
        membership = newMembership();
    }

    Operations newOperations() {
        return new Operations(this);
    }

    Opening newOpening() {
        return new Opening(this);
    }

    Healer newHealer() {
        return new Healer(this);
    }

    Cleaner newCleaner() {
        return new Cleaner(this);
    }

    Membership newMembership() {
        return new Membership(this);
    }

    /**
     * Opens an image that is there; {@link GatewayPort#entered} tells of SERVING. Called once.
     * Bricks that have never heard of it count for nothing, unless none has.
     */
    public void open() {
        open(false);
    }

    /**
     * As {@link #open()}.
     *
     * @param isNew whether no other gateway has had the image before: every brick counts
     */
    public void open(boolean isNew) {
        this.isNew = isNew;
        enter(State.PROMISING);
        opening.begin();
        members.forEach(this::connect);
        port.schedule(timing.tick(), this::tick);
    }

    /** Writes within one region. */
    public void write(long offsetBytes, Payload data, boolean isDurable, Completion completion) {
        Request.Operation write = new Request.Write(offsetBytes, data, isDurable);
        guest(completion, () -> operations.change(write, completion));
    }

    /** Writes zeros within one region; {@code mayUnmap}: their space may be given back. */
    public void writeZeroes(
            long offsetBytes,
            int lengthBytes,
            boolean mayUnmap,
            boolean isDurable,
            Completion completion) {
        Request.Operation zeroes =
                new Request.WriteZeroes(offsetBytes, lengthBytes, mayUnmap, isDurable);
        guest(completion, () -> operations.change(zeroes, completion));
    }

    /** Reads within one region; past the end are zeros. */
    public void read(long offsetBytes, int lengthBytes, Completion completion) {
        Request.Read read = new Request.Read(offsetBytes, lengthBytes);
        guest(completion, () -> operations.read(read, completion));
    }

    /** Makes every write durable that was acknowledged before. */
    public void flush(Completion completion) {
        guest(completion, () -> operations.flush(completion));
    }

    /** Cuts the image, or lets it grow; in order with writes. */
    public void resize(long newSizeBytes, Completion completion) {
        guest(completion, () -> operations.change(new Request.Resize(newSizeBytes), completion));
    }

    /** Verifies and repairs the in-sync copies until it is to end; tells how far it is. */
    public void scrub(Consumer<ScrubProgress> progress, BooleanSupplier isToEnd) {
        operations.repairs().scrub(progress, isToEnd);
    }

    private void guest(Completion completion, Runnable operation) {
        if (state == State.SERVING) {
            operation.run();
        } else {
            completion.complete(failure(), null);
        }
    }

    /** How operations end that this gateway cannot end. */
    final Outcome failure() {
        return state == State.FENCED ? Outcome.FENCED : Outcome.FAILED;
    }

    /** Hands over: finishes what is under way, flushes, and commits a clean configuration. */
    public void quiesce(Runnable whenDone) {
        if (state == State.SERVING) {
            whenQuiesced = whenDone;
            enter(State.QUIESCING);
            advanceQuiesce();
        }
    }

    /** Goes on after {@link #quiesce}, if the next owner has not opened the image. */
    public void resume() {
        if (state == State.QUIESCED && proposed == null) {
            Config current = committed();
            propose(new Config(epoch, current.k() + 1, current.isr(), false));
        }
    }

    /** A message of a brick. */
    public void receive(Reply reply) {
        boolean isKnown = reply.brick() >= 0 && reply.brick() < members.size();
        if (isOver() || !isKnown || reply.session() != members.get(reply.brick()).session()) {
            return;
        }
        Member member = members.get(reply.brick());
        Reply.Result result = reply.result();
        if (result instanceof Reply.Fenced) {
            end(State.FENCED);
        } else if (result instanceof Reply.NoSession) {
            lose(member);
        } else if (result instanceof Reply.Promised promised) {
            attached(member, promised);
        } else {
            member.answer(reply.id(), result);
        }
    }

    private void attached(Member member, Reply.Promised promised) {
        if (member.isAttached()) {
            return;
        }
        member.attach(promised, membership.isKnown(member, promised));
        Config newest = proposed != null ? proposed : committed;
        if (newest == null) {
            opening.advance();
            return;
        }
        if (member.isKnown()) {
            takePart(member, newest);
        }
    }

    /** Its votes count: it gets the newest configuration, and the part that it has in that. */
    void takePart(Member member, Config newest) {
        configure(member, newest);
        Reply.Promised promised = member.promised();
        if (layout.isData(member.brick())) {
            takeIn(member, newest, promised);
        }
        if (member.role() == Member.Role.SYNCING) {
            healer.prepare(member, promised.sizeBytes());
        } else {
            operations.sessionOpened(member);
        }
    }

    private void takeIn(Member member, Config newest, Reply.Promised promised) {
        Long expected = newest.isr().get(member.brick());
        if (expected == null && committed != null) {
            expected = committed.isr().get(member.brick());
        }
        if (expected == null) {
            member.setRole(Member.Role.SYNCING);
        } else if (isTrusted(expected, promised.cacheEpoch())) {
            member.setRole(Member.Role.IN_SYNC);
        } else {
            member.setRole(Member.Role.SUSPECT);
        }
    }

    /** Whether a member has everything that it has acknowledged. */
    boolean isTrusted(long expectedCacheEpoch, long cacheEpoch) {
        return expectedCacheEpoch == cacheEpoch;
    }

    private void connect(Member member) {
        member.begin(++lastSession, port.nanoTime());
        Request.Operation promise = new Request.Promise();
        port.send(member.brick(), new Request(id, epoch, member.session(), 0, promise));
    }

    /** The session is over; the next one is asked for. Acknowledgements in it are void. */
    void lose(Member member) {
        boolean wasAttached = member.isAttached();
        if (wasAttached) {
            member.setAwaySince(port.nanoTime());
        }
        connect(member);
        if (!wasAttached) {
            return;
        }
        if (state == State.RECONCILING) {
            restart();
            return;
        }
        operations.sessionLost(member);
        healer.sessionLost(member);
    }

    /** Every session anew, so that what the failed attempt has under way is drained. */
    private void restart() {
        enter(State.PROMISING);
        opening.begin();
        members.forEach(this::connect);
    }

    /** Asks a member for something; the answer comes in the same session or never. */
    void ask(Member member, Request.Operation operation, Consumer<Reply.Result> whenAnswered) {
        long request = member.owe(port.nanoTime(), whenAnswered);
        geometry.addChanged(operation, member.endBytes(sizeBytes), member.active());
        port.send(member.brick(), new Request(id, epoch, member.session(), request, operation));
    }

    /** The image's size: that of the copy it was opened with, changed by what was asked since. */
    public final long sizeBytes() {
        return sizeBytes;
    }

    final void setSize(long newSizeBytes) {
        sizeBytes = newSizeBytes;
    }

    /** The link to the brick is down: what it owed does not come. */
    public void connectionLost(int brick) {
        Member member = member(brick);
        if (!isOver() && state != State.CLOSED && member.isAttached()) {
            lose(member);
        }
    }

    /** The link to the brick is up (again): asks for a session at once. */
    public void connected(int brick) {
        Member member = member(brick);
        if (!isOver() && state != State.CLOSED && !member.isAttached()) {
            connect(member);
        }
    }

    /** One proposal at a time. */
    void propose(Config config) {
        proposed = config;
        proposedSet = config.inSync();
        accepted = 0;
        for (Member member : voters()) {
            configure(member, config);
        }
    }

    void configure(Member member, Config config) {
        ask(member, new Request.Configure(config), done -> accepted(member, config));
    }

    private void accepted(Member member, Config config) {
        member.setAccepted(config);
        if (config.equals(proposed)) {
            accepted |= member.bit();
            if (isEnough(accepted)) {
                commit(config);
            }
        }
    }

    boolean isEnough(int voters) {
        return layout.isMajority(voters);
    }

    private void commit(Config config) {
        committed = config;
        committedSet = config.inSync();
        proposed = null;
        proposedSet = 0;
        port.committed(config);
        for (Member member : dataMembers()) {
            boolean isIn = config.isr().containsKey(member.brick());
            if (isIn && member.role() == Member.Role.SYNCING) {
                member.setRole(Member.Role.IN_SYNC);
            } else if (!isIn && member.role() != Member.Role.SYNCING && member.isVoter()) {
                lose(member);
            } else if (isIn && member.role() == Member.Role.VOTER && member.isVoter()) {
                takeIn(member, config, member.promised());
            }
        }
        if (state == State.CONFIGURING || state == State.QUIESCED) {
            enter(State.SERVING);
            for (Member member : dataMembers()) {
                if (member.role() == Member.Role.SYNCING) {
                    lose(member);
                }
            }
        }
        membership.committed(config);
        operations.settle();
        if (state == State.QUIESCING) {
            advanceQuiesce();
        }
    }

    private void tick() {
        if (isOver()) {
            return;
        }
        long now = port.nanoTime();
        for (Member member : members) {
            if (now - member.waitingSince(now) > timing.answer()) {
                if (member.isAttached()) {
                    lose(member);
                } else {
                    connect(member);
                }
            }
        }
        if (state == State.PROMISING) {
            opening.advance();
        }
        if (state == State.SERVING || state == State.QUIESCING) {
            membership.tick();
            cleaner.tick();
        }
        if (state == State.QUIESCING) {
            advanceQuiesce();
        }
        operations.settle();
        healer.advance();
        if (!isOver()) {
            port.schedule(timing.tick(), this::tick);
        }
    }

    /** A healed member is taken in. */
    void join(Member member) {
        Config current = committed();
        SortedMap<Integer, Long> isr = new TreeMap<>(current.isr());
        isr.put(member.brick(), member.promised().cacheEpoch());
        propose(new Config(epoch, current.k() + 1, isr, false));
    }

    /** A write has failed on the in-sync members; those that are healed may have it. */
    final void healAnew() {
        for (Member member : dataMembers()) {
            if (member.role() == Member.Role.SYNCING) {
                lose(member);
            }
        }
    }

    /** A member that is healed has no space: its heal begins again, later. */
    final void becomeFull(Member member) {
        if (member.isJoining()) {
            lose(member);
        } else {
            healer.sessionLost(member);
            member.setFullSince(port.nanoTime());
        }
    }

    /** The set that an acknowledgement needs. */
    int needed() {
        int needed = committedSet | proposedSet;
        for (int i = 0; i < dataMembers.size(); i++) {
            Member member = dataMembers.get(i);
            needed |= member.isJoining() ? member.bit() : 0;
        }
        return needed;
    }

    private void advanceQuiesce() {
        Config current = committed();
        if (current.isClean() && current.epoch() == epoch && proposed == null) {
            enter(State.QUIESCED);
            Runnable done = whenQuiesced;
            whenQuiesced = null;
            if (done != null) {
                done.run();
            }
        } else if (proposed == null && operations.isIdle()) {
            flushToQuiesce((outcome, data) -> quiesceFlushed(outcome == Outcome.DONE, current));
        }
    }

    void flushToQuiesce(Completion completion) {
        operations.flush(completion);
    }

    private void quiesceFlushed(boolean isDone, Config before) {
        if (isDone && proposed == null && before.equals(committed) && state == State.QUIESCING) {
            propose(new Config(epoch, before.k() + 1, before.isr(), true));
        }
    }

    /** Ends in a terminal state; everything under way fails, its outcome unknown. */
    final void end(State terminal) {
        enter(terminal);
        operations.failAll();
    }

    void enter(State newState) {
        state = newState;
        port.entered(newState);
    }

    /** The members, and how far their heals are. */
    public final Health health() {
        return Health.of(committed, members, healer);
    }

    final boolean isOver() {
        return state == State.FENCED || state == State.CACHE_LOST;
    }

    /** Whether no other gateway has had the image before. */
    final boolean isNew() {
        return isNew;
    }

    final boolean isServing() {
        return state == State.SERVING;
    }

    /** The state. */
    public final State state() {
        return state;
    }

    final long id() {
        return id;
    }

    final long epoch() {
        return epoch;
    }

    final Layout layout() {
        return layout;
    }

    final Geometry geometry() {
        return geometry;
    }

    final Timing timing() {
        return timing;
    }

    final GatewayPort port() {
        return port;
    }

    final Operations operations() {
        return operations;
    }

    final @Nullable Config proposed() {
        return proposed;
    }

    boolean isProposing() {
        return proposed != null;
    }

    /** The committed configuration of this epoch. */
    final Config committed() {
        Config config = committed;
        if (config == null) {
            throw new IllegalStateException("no configuration is committed: epoch=" + epoch);
        }
        return config;
    }

    final Member member(int brick) {
        if (brick < 0 || brick >= members.size()) {
            throw new IllegalArgumentException("unknown voter: brick=" + brick);
        }
        return members.get(brick);
    }

    /** All voters. */
    final List<Member> members() {
        return members;
    }

    /** Members with a session whose votes count. */
    final List<Member> voters() {
        return members.stream().filter(Member::isVoter).toList();
    }

    /** Those with a copy. */
    final List<Member> dataMembers() {
        return dataMembers;
    }

    /** In-sync members, of the committed and of any proposed set: readers and heal sources. */
    final List<Member> sources() {
        return dataMembers.stream().filter(this::isSource).toList();
    }

    boolean isSource(Member member) {
        int inSync = proposed == null ? committedSet : committedSet & proposedSet;
        return member.role() == Member.Role.IN_SYNC && (inSync & member.bit()) != 0;
    }

    /** Regions that may be active on an in-sync member. */
    final BitSet activeRegions() {
        BitSet regions = new BitSet();
        sources().forEach(member -> regions.or(member.active()));
        return regions;
    }
}
