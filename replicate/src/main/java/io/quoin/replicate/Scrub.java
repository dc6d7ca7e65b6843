package io.quoin.replicate;

import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Has the in-sync members verify their copies of an image against their checksums, a piece at a
 * time, each in turn. A piece with something corrupt is looked at block by block. Blocks written
 * since their region was cleaned have no checksum yet, and are read only.
 */
final class Scrub {
    private final Gateway gateway;
    private final Repairs repairs;
    private final Consumer<ScrubProgress> progress;
    private final BooleanSupplier isToEnd;
    private final long sizeBytes;
    private long offsetBytes;
    private int next;
    private long corruptBlocks;
    private long repairedBlocks;
    private boolean isBusy;
    private boolean isAdvancing;
    private boolean isEnded;

    Scrub(
            Gateway gateway,
            Repairs repairs,
            Consumer<ScrubProgress> progress,
            BooleanSupplier isToEnd) {
        this.gateway = gateway;
        this.repairs = repairs;
        this.progress = progress;
        this.isToEnd = isToEnd;
        this.sizeBytes = gateway.sizeBytes();
    }

    void begin() {
        advance();
    }

    private void advance() {
        if (isAdvancing) {
            return;
        }
        isAdvancing = true;
        while (!isBusy && !isEnded) {
            step();
        }
        isAdvancing = false;
    }

    private void goOn() {
        isBusy = false;
        advance();
    }

    private void step() {
        if (offsetBytes >= sizeBytes || !gateway.isServing() || isToEnd.getAsBoolean()) {
            isEnded = true;
            tell();
        } else if (next == gateway.dataMembers().size()) {
            next = 0;
            offsetBytes = Math.min(sizeBytes, offsetBytes + pieceBytes());
            tell();
        } else {
            Member member = gateway.dataMembers().get(next);
            next++;
            if (member.role() == Member.Role.IN_SYNC) {
                isBusy = true;
                check(member, offsetBytes, pieceBytes());
            }
        }
    }

    /** No request goes over the end of a region. */
    private int pieceBytes() {
        return (int) Math.min(Healer.PIECE_BYTES, gateway.geometry().regionBytes());
    }

    private void check(Member member, long fromBytes, int lengthBytes) {
        long began = gateway.port().nanoTime();
        gateway.operations().pace().began();
        gateway.operations()
                .copying()
                .check(
                        fromBytes,
                        lengthBytes,
                        member,
                        (outcome, data) -> {
                            long now = gateway.port().nanoTime();
                            long rest = gateway.operations().pace().ended(now, now - began);
                            if (outcome == Outcome.FAILED) {
                                checkBlocks(member, fromBytes, fromBytes + lengthBytes);
                            } else if (rest > 0 && gateway.isServing()) {
                                gateway.port().schedule(rest, this::goOn);
                            } else {
                                goOn();
                            }
                        });
    }

    private void checkBlocks(Member member, long fromBytes, long toBytes) {
        boolean isMeant = member.role() == Member.Role.IN_SYNC && gateway.isServing();
        if (fromBytes >= toBytes || !isMeant) {
            goOn();
            return;
        }
        int block = gateway.geometry().blockBytes();
        long before = repairs.repairedBlocks();
        gateway.operations()
                .copying()
                .check(
                        fromBytes,
                        block,
                        member,
                        (outcome, data) -> {
                            boolean isRepaired = repairs.repairedBlocks() > before;
                            boolean isCorrupt = isRepaired || outcome == Outcome.FAILED;
                            repairedBlocks += isRepaired ? 1 : 0;
                            corruptBlocks += isCorrupt ? 1 : 0;
                            checkBlocks(member, fromBytes + block, toBytes);
                        });
    }

    private void tell() {
        progress.accept(
                new ScrubProgress(offsetBytes, sizeBytes, corruptBlocks, repairedBlocks, isEnded));
    }
}
