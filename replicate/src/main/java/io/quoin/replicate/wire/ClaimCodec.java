package io.quoin.replicate.wire;

import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.Layout;
import io.quoin.replicate.wire.message.AlreadyClaimed;
import io.quoin.replicate.wire.message.Claim;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Claims and their answers, on the wire.
 *
 * <p>Threading: immutable.
 */
final class ClaimCodec {
    /** Which brick is wanted. */
    record Wanted(UUID volume, int index, Layout layout) {
        /** Whether it is this one. */
        boolean is(BrickIdentity identity) {
            return volume.equals(identity.volume())
                    && index == identity.index()
                    && layout == identity.layout();
        }
    }

    private ClaimCodec() {}

    static Claim toMessage(Wanted wanted) {
        return Claim.newBuilder()
                .setVersionMin(IdentityCodec.VERSION_MIN)
                .setVersionMax(IdentityCodec.VERSION_MAX)
                .setVolume(UuidCodec.toMessage(wanted.volume()))
                .setIndex(wanted.index())
                .setLayout(IdentityCodec.toMessage(wanted.layout()))
                .build();
    }

    /**
     * What is claimed.
     *
     * @throws WireException if the layout is unknown
     */
    static Wanted fromMessage(Claim claim) {
        return new Wanted(
                UuidCodec.fromMessage(claim.getVolume()),
                claim.getIndex(),
                IdentityCodec.fromMessage(claim.getLayout()));
    }

    /** Why no brick can be made of it; null if one can. */
    static @Nullable String refusal(Wanted wanted) {
        int voters = wanted.layout().voters();
        return wanted.index() >= 0 && wanted.index() < voters
                ? null
                : "illegal index: value="
                        + Integer.toUnsignedString(wanted.index())
                        + ", expected=0 to "
                        + (voters - 1);
    }

    static AlreadyClaimed toMessage(BrickIdentity actual) {
        return AlreadyClaimed.newBuilder()
                .setVolume(UuidCodec.toMessage(actual.volume()))
                .setBrick(UuidCodec.toMessage(actual.brick()))
                .setIndex(actual.index())
                .setLayout(IdentityCodec.toMessage(actual.layout()))
                .build();
    }

    /** In words. */
    static String text(AlreadyClaimed actual) {
        return "volume="
                + UuidCodec.fromMessage(actual.getVolume())
                + ", index="
                + Integer.toUnsignedString(actual.getIndex())
                + ", layout="
                + IdentityCodec.fromMessage(actual.getLayout()).text()
                + ", brick="
                + UuidCodec.fromMessage(actual.getBrick());
    }
}
