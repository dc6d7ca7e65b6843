package io.quoin.management.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import io.quoin.management.guest.FakeAgent.Fault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Guests that stand still for a moment, and that go on whatever happens. */
@Timeout(120)
class FrozenGuestsTest {
    private static final String FREEZE = "guest-fsfreeze-freeze";
    private static final String THAW = "guest-fsfreeze-thaw";
    private static final String STATUS = "guest-fsfreeze-status";
    private static final long LIMIT = TimeUnit.SECONDS.toNanos(30);

    @TempDir private Path folder;

    private final List<String> messages = Collections.synchronizedList(new ArrayList<>());
    private Path socket = Path.of("/");
    private FakeAgent agent;

    @BeforeEach
    void startAgent() throws IOException {
        socket = Files.createTempDirectory("qga").resolve("agent.sock");
        agent = new FakeAgent(socket);
    }

    @AfterEach
    void stopAgent() throws IOException {
        agent.close();
        Files.deleteIfExists(socket);
        Files.deleteIfExists(socket.getParent());
    }

    private boolean freezeAndThaw(long limitNanos) {
        FreezeOptions options =
                new FreezeOptions(List.of(socket), List.of(), List.of(), limitNanos);
        FrozenGuests guests = FrozenGuests.freeze(options, messages::add);
        assertThat(guests.stoodStill()).isFalse();
        guests.close();
        guests.close();
        return guests.stoodStill();
    }

    @Test
    void shouldStandStillAndGoOn() {
        FrozenGuests guests =
                FrozenGuests.freeze(
                        new FreezeOptions(List.of(socket), List.of(), List.of(), LIMIT),
                        messages::add);
        assertThat(agent.isFrozen).isTrue();
        guests.close();
        assertThat(agent.isFrozen).isFalse();
        assertThat(guests.stoodStill()).isTrue();
        assertThat(messages).isEmpty();
        assertThat(agent.commands).containsExactly("guest-sync-delimited", FREEZE, THAW, STATUS);
    }

    @Test
    void shouldSkipWhatTheAgentSaidToOthers() {
        agent.stale = "{\"return\": 77}\n{\"return\": {\"half";
        agent.plan("guest-sync-delimited", Fault.SLOWLY);
        agent.plan(FREEZE, Fault.SLOWLY);
        assertThat(freezeAndThaw(LIMIT)).isTrue();
        assertThat(messages).isEmpty();
    }

    @Test
    void shouldSayThatNotAllStoodStillWhenSomeWereThawedBefore() {
        agent.thawedBehind = 1;
        assertThat(freezeAndThaw(LIMIT)).isFalse();
        assertThat(messages).singleElement().asString().contains("frozen=3, thawed=2");
        agent.fileSystems = 0;
        agent.thawedBehind = 0;
        messages.clear();
        assertThat(freezeAndThaw(LIMIT)).as("no file system at all").isFalse();
        assertThat(messages).singleElement().asString().contains("frozen=0, thawed=0");
    }

    @Test
    void shouldThawWhenTheFreezeIsNotAnsweredInTime() {
        agent.plan(FREEZE, Fault.SILENT);
        assertThat(freezeAndThaw(TimeUnit.SECONDS.toNanos(2))).isFalse();
        assertThat(agent.isFrozen).isFalse();
        assertThat(agent.commands)
                .containsExactly(
                        "guest-sync-delimited", FREEZE, "guest-sync-delimited", THAW, STATUS);
        assertThat(messages)
                .singleElement()
                .asString()
                .contains("not frozen", socket.toString(), "no answer in time");
    }

    @Test
    void shouldThawWhenTheAgentDiesOrRefuses() {
        agent.plan(FREEZE, Fault.DIES);
        agent.plan(THAW, Fault.DIES);
        assertThat(freezeAndThaw(LIMIT)).isFalse();
        assertThat(agent.isFrozen).isFalse();
        assertThat(agent.commands).contains(THAW, STATUS);
        agent.plan(FREEZE, Fault.REFUSED);
        assertThat(freezeAndThaw(LIMIT)).isFalse();
        assertThat(messages).hasSize(2).last().asString().contains("not now");
    }

    @Test
    void shouldThawAgainWhenTheAnswerIsLostAndTellThatTheCountIsNotKnown() {
        agent.plan(THAW, Fault.DIES);
        agent.plan(THAW, Fault.SILENT);
        assertThat(freezeAndThaw(LIMIT)).isFalse();
        assertThat(agent.isFrozen).isFalse();
        assertThat(messages).singleElement().asString().contains("frozen=3, thawed=0");
    }

    @Test
    void shouldSayThatAGuestMayBeFrozenStillWhenItIsNotThawedInTime() {
        for (int i = 0; i < 1000; i++) {
            agent.plan(THAW, Fault.REFUSED);
        }
        assertThat(freezeAndThaw(TimeUnit.MILLISECONDS.toNanos(300))).isFalse();
        assertThat(agent.isFrozen).isTrue();
        assertThat(messages).last().asString().contains("may be frozen still", socket.toString());
    }

    @Test
    void shouldSayWhatIsWrongWhenThereIsNoAgent() throws IOException {
        agent.close();
        assertThat(freezeAndThaw(TimeUnit.MILLISECONDS.toNanos(100))).isFalse();
        assertThat(messages).hasSize(2);
    }

    @Test
    void shouldRunTheThawCommandWhateverTheFreezeCommandDid() throws IOException {
        Path log = folder.resolve("log");
        assertThat(commands("echo freeze >> " + log, "echo thaw >> " + log, LIMIT)).isTrue();
        assertThat(log).hasContent("freeze\nthaw");
        assertThat(commands("exit 3", "echo again >> " + log, LIMIT)).isFalse();
        assertThat(Files.readString(log)).endsWith("again\n");
        assertThat(messages).singleElement().asString().contains("exitCode=3");
        messages.clear();
        long soon = TimeUnit.SECONDS.toNanos(2);
        assertThat(commands("sleep 100", "echo last >> " + log, soon)).isFalse();
        assertThat(Files.readString(log)).endsWith("last\n");
        assertThat(messages).singleElement().asString().contains("not done in time");
    }

    @Test
    void shouldRunTheThawCommandAgainWhenItFails() {
        Path mark = folder.resolve("mark");
        String once = "test -e " + mark + " || { touch " + mark + "; exit 1; }";
        assertThat(commands("true", once, LIMIT)).isTrue();
    }

    private boolean commands(String freeze, String thaw, long limitNanos) {
        FreezeOptions options =
                new FreezeOptions(List.of(), List.of(freeze), List.of(thaw), limitNanos);
        FrozenGuests guests = FrozenGuests.freeze(options, messages::add);
        guests.close();
        return guests.stoodStill();
    }

    @Test
    void shouldRefuseAFreezeCommandWithoutAThawCommand() {
        assertThatThrownBy(() -> new FreezeOptions(List.of(), List.of("true"), List.of(), 1))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("1 and 0");
    }
}
