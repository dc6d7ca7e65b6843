package io.quoin.nbd.client;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The commands under way by their cookies: a slot, and a number that is another one each time the
 * slot is used, so that a late or repeated reply is not taken for that of another command.
 *
 * <p>Threading: confined(loop).
 */
final class CommandTable {
    private static final int INITIAL = 32;

    private @Nullable ClientCommand[] commands = new ClientCommand[INITIAL];
    private int[] rounds = new int[INITIAL];
    private int[] free = new int[INITIAL];
    private int freeCount;
    private int used;

    /** Takes a command in; its cookie. */
    long add(ClientCommand command) {
        int slot;
        if (freeCount > 0) {
            freeCount--;
            slot = free[freeCount];
        } else {
            if (used == commands.length) {
                commands = Arrays.copyOf(commands, used * 2);
                rounds = Arrays.copyOf(rounds, used * 2);
                free = Arrays.copyOf(free, used * 2);
            }
            slot = used;
            used++;
        }
        commands[slot] = command;
        rounds[slot]++;
        command.slot = slot;
        return (long) rounds[slot] << Integer.SIZE | slot;
    }

    /** The command with that cookie; null if none is under way. */
    @Nullable ClientCommand find(long cookie) {
        long slot = cookie & 0xFFFF_FFFFL;
        if (slot >= used || rounds[(int) slot] != (int) (cookie >>> Integer.SIZE)) {
            return null;
        }
        return commands[(int) slot];
    }

    void remove(ClientCommand command) {
        commands[command.slot] = null;
        free[freeCount] = command.slot;
        freeCount++;
    }

    /** Any that is under way, or null. */
    @Nullable ClientCommand any() {
        for (int slot = 0; slot < used; slot++) {
            ClientCommand command = commands[slot];
            if (command != null) {
                return command;
            }
        }
        return null;
    }
}
