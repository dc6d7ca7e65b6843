package io.quoin.replicate;

/**
 * Copies of ranges from an in-sync member to another one: to one that is healed, or to one that is
 * in sync and whose copy is corrupt. Each has its range alone.
 */
final class Copying {
    private final Gateway gateway;
    private final Operations operations;

    Copying(Gateway gateway, Operations operations) {
        this.gateway = gateway;
        this.operations = operations;
    }

    /** Copies a range, as far as the image goes. FAILED: the target's session is lost. */
    void copy(long offsetBytes, int lengthBytes, Member target, Completion completion) {
        operations.lock(operation(offsetBytes, lengthBytes, target, completion));
    }

    /**
     * Has an in-sync member verify a range of its copy, and copies it if it is corrupt and no more
     * than one block. FAILED: it is corrupt still, or the member is not in sync.
     */
    void check(long offsetBytes, int lengthBytes, Member target, Completion completion) {
        Operations.Operation operation = operation(offsetBytes, lengthBytes, target, completion);
        operation.isCheck = true;
        operations.lock(operation);
    }

    private static Operations.Operation operation(
            long offsetBytes, int lengthBytes, Member target, Completion completion) {
        long end = offsetBytes + lengthBytes;
        Operations.Operation operation =
                new Operations.Operation(Operations.Kind.COPY, offsetBytes, end, completion);
        operation.target = target;
        return operation;
    }

    /** Goes on with a copy that has its range. */
    void settle(Operations.Operation operation) {
        Member target = operation.target;
        if (target == null || isWaiting(operation, target)) {
            return;
        }
        if (operation.isCheck && target.role() != Member.Role.IN_SYNC) {
            operations.finish(operation, Outcome.FAILED);
        } else if (operation.source != null) {
            return;
        } else if (operation.fromBytes >= gateway.sizeBytes()) {
            operations.finish(operation, Outcome.DONE);
        } else if (operation.isCheck && (operation.failed & target.bit()) == 0) {
            verify(operation, target);
        } else {
            Member source = operations.source(operation);
            if (source != null) {
                operations.readFrom(operation, source, () -> write(operation, target));
            }
        }
    }

    /**
     * Whether a repair that the target has perhaps in part waits for its next session. A block half
     * written has no checksum: the range stays locked until the target has all of it, or is left
     * out, and healed.
     */
    private boolean isWaiting(Operations.Operation operation, Member target) {
        return operation.isCheck
                && operation.data != null
                && !target.isAttached()
                && (gateway.needed() & target.bit()) != 0;
    }

    private void verify(Operations.Operation operation, Member target) {
        operations.readFrom(
                operation,
                target,
                () -> {
                    operations.giveBack(operation);
                    operation.data = null;
                    operations.finish(operation, Outcome.DONE);
                });
    }

    /** A member's copy of the range is corrupt. */
    void corrupt(Operations.Operation operation, Member member) {
        boolean isLong = operation.toBytes - operation.fromBytes > gateway.geometry().blockBytes();
        if (operation.isCheck && operation.target == member && isLong) {
            operations.finish(operation, Outcome.FAILED);
        } else {
            operations.settle(operation);
        }
    }

    private void write(Operations.Operation operation, Member target) {
        Payload data = operation.data;
        if (data != null) {
            Request.Operation write = new Request.Write(operation.fromBytes, data, false);
            gateway.ask(target, write, result -> written(operation, target, result));
        }
    }

    private void written(Operations.Operation operation, Member target, Reply.Result result) {
        operations.giveBack(operation);
        if (!(result instanceof Reply.NoSpace)) {
            if (operation.isCheck) {
                operations.repairs().repaired(target, operation.fromBytes);
            }
            operations.finish(operation, Outcome.DONE);
        } else if (operation.isCheck) {
            target.leaveOut();
            operations.finish(operation, Outcome.NO_SPACE);
        } else {
            gateway.becomeFull(target);
            operations.finish(operation, Outcome.NO_SPACE);
        }
    }

    /** The target of a copy under way has a new session, and its role in that. */
    void sessionOpened(Operations.Operation operation, Member target) {
        if (target.role() == Member.Role.IN_SYNC) {
            write(operation, target);
        } else {
            operations.finish(operation, Outcome.FAILED);
        }
    }

    /** The target's session is lost. */
    void sessionLost(Operations.Operation operation, Member target) {
        if (!isWaiting(operation, target)) {
            operations.finish(operation, Outcome.FAILED);
        }
    }
}
