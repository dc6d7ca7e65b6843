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

    /** Why none of the versions that a client speaks is spoken here; null if one is. */
    static @Nullable String unknownVersions(int versionMin, int versionMax) {
        if (version(versionMax) >= Math.max(VERSION_MIN, versionMin)) {
            return null;
        }
        return "no common protocol version: brick="
                + VERSION_MIN
                + "-"
                + VERSION_MAX
                + ", client="
                + Integer.toUnsignedString(versionMin)
                + "-"
                + Integer.toUnsignedString(versionMax);
    }

    /** Why the client cannot speak to this brick; null if it can. */
    static @Nullable String refusal(ClientHello hello, BrickIdentity identity) {
        String unknown = unknownVersions(hello.getVersionMin(), hello.getVersionMax());
        if (unknown != null) {
            return unknown;
        }
        return wrongBrick(
                UuidCodec.fromMessage(hello.getVolume()),
                hello.getIndex(),
                identity.volume(),
                identity.index());
    }

    private static int version(int versionMax) {
        return Math.min(VERSION_MAX, versionMax);
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

    /** Who answers a client that speaks no newer version than that. */
    static ServerHello answer(int versionMax, BrickIdentity identity) {
        return ServerHello.newBuilder()
                .setVersion(version(versionMax))
                .setVolume(UuidCodec.toMessage(identity.volume()))
                .setBrick(UuidCodec.toMessage(identity.brick()))
                .setIndex(identity.index())
                .setLayout(toMessage(identity.layout()))
                .setStartCount(identity.startCount())
                .setCacheEpoch(identity.cacheEpoch())
                .setStartId(identity.startId())
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
                fromMessage(hello.getLayout()),
                hello.getStartCount(),
                hello.getCacheEpoch(),
                hello.getStartId());
    }

    static BrickLayout toMessage(Layout layout) {
        return switch (layout) {
            case ONE -> BrickLayout.LAYOUT_ONE;
            case TWO -> BrickLayout.LAYOUT_TWO;
            case TWO_ARBITER -> BrickLayout.LAYOUT_TWO_ARBITER;
            case THREE -> BrickLayout.LAYOUT_THREE;
        };
    }

    static Layout fromMessage(BrickLayout layout) {
        return switch (layout) {
            case LAYOUT_ONE -> Layout.ONE;
            case LAYOUT_TWO -> Layout.TWO;
            case LAYOUT_TWO_ARBITER -> Layout.TWO_ARBITER;
            case LAYOUT_THREE -> Layout.THREE;
            case LAYOUT_UNKNOWN, UNRECOGNIZED -> throw new WireException("unknown layout");
        };
    }
}
