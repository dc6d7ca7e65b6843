package io.quoin.replicate.wire;

import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.Layout;
import io.quoin.replicate.wire.message.BrickLayout;
import io.quoin.replicate.wire.message.ClientHello;
import io.quoin.replicate.wire.message.ServerHello;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The hellos: which protocol version is spoken, and which brick is wanted and which answers.
 *
 * <p>Threading: immutable.
 */
final class IdentityCodec {
    /** The oldest and the newest version that this program speaks. */
    static final int VERSION_MIN = 1;

    static final int VERSION_MAX = 1;

    private IdentityCodec() {}

    static ClientHello hello(UUID volume, int index) {
        return ClientHello.newBuilder()
                .setVersionMin(VERSION_MIN)
                .setVersionMax(VERSION_MAX)
                .setVolume(UuidCodec.toMessage(volume))
                .setIndex(index)
                .build();
    }

    /** Why the client is at the wrong brick; null if it is at the right one. */
    static @Nullable String refusal(ClientHello hello, BrickIdentity identity) {
        if (version(hello) < Math.max(VERSION_MIN, hello.getVersionMin())) {
            return "no common protocol version: brick="
                    + VERSION_MIN
                    + "-"
                    + VERSION_MAX
                    + ", client="
                    + Integer.toUnsignedString(hello.getVersionMin())
                    + "-"
                    + Integer.toUnsignedString(hello.getVersionMax());
        }
        return wrongBrick(
                UuidCodec.fromMessage(hello.getVolume()),
                hello.getIndex(),
                identity.volume(),
                identity.index());
    }

    private static int version(ClientHello hello) {
        return Math.min(VERSION_MAX, hello.getVersionMax());
    }

    private static @Nullable String wrongBrick(
            UUID volume, int index, UUID actualVolume, int actualIndex) {
        if (!volume.equals(actualVolume)) {
            return "brick of another volume: expected=" + volume + ", actual=" + actualVolume;
        }
        return index == actualIndex
                ? null
                : "brick with another index: expected="
                        + Integer.toUnsignedString(index)
                        + ", actual="
                        + Integer.toUnsignedString(actualIndex);
    }

    static ServerHello answer(ClientHello hello, BrickIdentity identity) {
        return ServerHello.newBuilder()
                .setVersion(version(hello))
                .setVolume(UuidCodec.toMessage(identity.volume()))
                .setBrick(UuidCodec.toMessage(identity.brick()))
                .setIndex(identity.index())
                .setLayout(layout(identity.layout()))
                .setStartCount(identity.startCount())
                .setCacheEpoch(identity.cacheEpoch())
                .build();
    }

    /**
     * Who has answered.
     *
     * @throws WireException if it is another brick than the one that was wanted
     */
    static BrickIdentity identity(ServerHello hello, UUID volume, int index) {
        String wrong =
                wrongBrick(
                        volume, index, UuidCodec.fromMessage(hello.getVolume()), hello.getIndex());
        if (wrong != null) {
            throw new WireException(wrong);
        }
        if (hello.getVersion() < VERSION_MIN || hello.getVersion() > VERSION_MAX) {
            throw new WireException(
                    "unknown protocol version: expected="
                            + VERSION_MIN
                            + "-"
                            + VERSION_MAX
                            + ", actual="
                            + Integer.toUnsignedString(hello.getVersion()));
        }
        return new BrickIdentity(
                volume,
                UuidCodec.fromMessage(hello.getBrick()),
                index,
                layout(hello.getLayout()),
                hello.getStartCount(),
                hello.getCacheEpoch());
    }

    private static BrickLayout layout(Layout layout) {
        return switch (layout) {
            case ONE -> BrickLayout.LAYOUT_ONE;
            case TWO -> BrickLayout.LAYOUT_TWO;
            case TWO_ARBITER -> BrickLayout.LAYOUT_TWO_ARBITER;
            case THREE -> BrickLayout.LAYOUT_THREE;
        };
    }

    private static Layout layout(BrickLayout layout) {
        return switch (layout) {
            case LAYOUT_ONE -> Layout.ONE;
            case LAYOUT_TWO -> Layout.TWO;
            case LAYOUT_TWO_ARBITER -> Layout.TWO_ARBITER;
            case LAYOUT_THREE -> Layout.THREE;
            case LAYOUT_UNKNOWN, UNRECOGNIZED -> throw new WireException("unknown layout");
        };
    }
}
