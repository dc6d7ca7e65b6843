package io.quoin.testkit.fault;

import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * A child on another machine, as far as its parent can see: a test says how it behaves.
 *
 * <p>Threading: confined to the test; its files are confined to their loops.
 */
public final class UnreliableXlator extends PassThroughXlator {
    /** How the files of a child behave. */
    public enum Behaviour {
        /** As those below do. */
        ANSWERS,
        /** Late, and each as late as it likes. */
        STRAGGLES,
        /** In time, but it goes on reading the payload of a WRITE that is leased. */
        KEEPS_PAYLOADS,
        /** Not at all. */
        HANGS,
        /** It is gone: what is under way fails, and so does everything new. */
        GONE
    }

    private final List<UnreliableFile> open = new ArrayList<>();
    private Behaviour behaviour = Behaviour.ANSWERS;
    private int keptCount;

    public UnreliableXlator(String name, Xlator subvolume) {
        super(name, "testkit/unreliable", subvolume);
    }

    /** From now on, and for what is under way. Called outside of the loops. */
    public void behave(Behaviour newBehaviour) {
        behaviour = newBehaviour;
        for (UnreliableFile file : List.copyOf(open)) {
            file.loop().execute(() -> file.behave(newBehaviour));
        }
    }

    /** How many payloads were kept beyond the completion of their requests. */
    public int keptCount() {
        return keptCount;
    }

    void kept() {
        keptCount++;
    }

    void closed(UnreliableFile file) {
        open.remove(file);
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        return subvolume()
                .open(fileName, options.ofPart(), loop)
                .thenApply(
                        file -> {
                            UnreliableFile opened =
                                    new UnreliableFile(this, file, loop, options.listener());
                            opened.behave(behaviour);
                            open.add(opened);
                            return opened;
                        });
    }
}
