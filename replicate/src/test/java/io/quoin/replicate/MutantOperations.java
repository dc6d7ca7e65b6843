package io.quoin.replicate;

/** Operations that break a rule of {@link Mutant}. */
final class MutantOperations extends Operations {
    private final MutantGateway gateway;

    MutantOperations(MutantGateway gateway) {
        super(gateway);
        this.gateway = gateway;
    }

    /** It is made before this object is, and looks at the mutant later. */
    @Override
    Repairs newRepairs(Gateway of) {
        return new Repairs(of) {
            @Override
            void repair(int members, long fromBytes, long toBytes, Runnable then) {
                if (gateway.is(Mutant.REPAIRS_NOTHING)) {
                    then.run();
                } else {
                    super.repair(members, fromBytes, toBytes, then);
                }
            }
        };
    }

    private boolean isUnlocked(Operation operation) {
        return switch (operation.kind) {
            case READ -> gateway.is(Mutant.OPERATIONS_READ_UNLOCKED);
            case COPY -> gateway.is(Mutant.OPERATIONS_COPY_UNLOCKED);
            default -> false;
        };
    }

    @Override
    void lock(Operation operation) {
        if (isUnlocked(operation)) {
            start(operation);
        } else {
            super.lock(operation);
        }
    }

    @Override
    void unlock(Operation operation) {
        if (!isUnlocked(operation)) {
            super.unlock(operation);
        }
    }

    @Override
    void send(Operation operation, Member member) {
        boolean isSkipped =
                gateway.is(Mutant.OPERATIONS_SEND_NOT_TO_SYNCING)
                        && member.role() == Member.Role.SYNCING
                        && !member.isJoining();
        if (!isSkipped) {
            super.send(operation, member);
        }
    }

    @Override
    void sessionOpened(Member member) {
        if (!gateway.is(Mutant.OPERATIONS_RESEND_NOTHING)) {
            super.sessionOpened(member);
        }
    }

    @Override
    void whenWritten(Member member, Runnable then) {
        if (gateway.is(Mutant.HEALER_FLUSHES_TOO_EARLY)) {
            then.run();
        } else {
            super.whenWritten(member, then);
        }
    }

    @Override
    void forgetAck(Operation operation, Member member) {
        if (!gateway.is(Mutant.GATEWAY_KEEPS_ACKS)) {
            super.forgetAck(operation, member);
        }
    }

    @Override
    boolean isConfirmed(int voters) {
        return gateway.is(Mutant.OPERATIONS_READ_UNCONFIRMED) || super.isConfirmed(voters);
    }

    @Override
    int confirmedBy(Operation read) {
        boolean isOld = gateway.is(Mutant.OPERATIONS_READ_TAKES_AN_OLD_WORD) && read.round > 1;
        read.round -= isOld ? 1 : 0;
        int voters = super.confirmedBy(read);
        read.round += isOld ? 1 : 0;
        return voters;
    }

    @Override
    void acknowledged(Operation operation) {
        super.acknowledged(operation);
        if (gateway.is(Mutant.OPERATIONS_GIVES_BACK_AT_ACKNOWLEDGEMENT)) {
            giveBack(operation);
        }
    }

    @Override
    boolean isAcknowledged(Operation operation) {
        boolean isOne =
                gateway.is(Mutant.OPERATIONS_FLUSH_NEEDS_ONE)
                        && operation.kind == Kind.FLUSH
                        && operation.acks != 0;
        return isOne || super.isAcknowledged(operation);
    }

    @Override
    boolean isEverywhere(Operation operation) {
        return gateway.is(Mutant.OPERATIONS_UNLOCK_AT_ACKNOWLEDGEMENT)
                || super.isEverywhere(operation);
    }
}
