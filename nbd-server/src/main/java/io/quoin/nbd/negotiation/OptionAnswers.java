package io.quoin.nbd.negotiation;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Geometry;
import io.quoin.block.Reason;
import io.quoin.nbd.export.Export;
import io.quoin.nbd.export.ExportCatalogue;
import io.quoin.nbd.export.ExportInfo;
import io.quoin.nbd.peer.ClientText;
import io.quoin.nbd.protocol.MetaContext;
import io.quoin.nbd.protocol.NbdOption;
import io.quoin.nbd.protocol.RequestLayout;
import io.quoin.nbd.protocol.TransmissionFlags;
import io.quoin.nbd.transmission.Session;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What options mean, and what a connection has negotiated so far.
 *
 * <p>Threading: confined(loop) of the channel.
 */
final class OptionAnswers {
    private static final int BLOCK_SIZE_MIN_OF_PREFERRED = 512;

    private final ChannelHandlerContext context;
    private final ExportCatalogue catalogue;
    private final NegotiationHandler.Peer peer;
    private final OptionReplies replies;
    private final Answered answered;
    private final Entry entry;

    private boolean noZeroes;
    private boolean isStructured;
    private @Nullable String contextsOf;
    private List<MetaContext> selected = List.of();
    private boolean isShuttingDown;
    private boolean isEnded;
    private boolean isDeferred;
    private @Nullable Iterator<ExportInfo> listing;

    /** Told when an option has its answer. */
    interface Answered {
        /** Whether another option may follow; otherwise the connection is closed. */
        void answered(boolean goesOn);
    }

    /** Told when an export was chosen. */
    interface Entry {
        /** The session to begin, and what writes the option's answer before that. */
        void enter(Session session, Runnable answer);
    }

    OptionAnswers(
            ChannelHandlerContext context,
            ExportCatalogue catalogue,
            NegotiationHandler.Peer peer,
            Answered answered,
            Entry entry) {
        this.context = context;
        this.catalogue = catalogue;
        this.peer = peer;
        this.replies = new OptionReplies(context);
        this.answered = answered;
        this.entry = entry;
    }

    /** Whether an option's data means anything. */
    static boolean readsData(int option) {
        return switch (option) {
            case NbdOption.EXPORT_NAME,
                    NbdOption.INFO,
                    NbdOption.GO,
                    NbdOption.LIST_META_CONTEXT,
                    NbdOption.SET_META_CONTEXT ->
                    true;
            default -> false;
        };
    }

    void noZeroes(boolean agreed) {
        noZeroes = agreed;
    }

    void shutDown() {
        isShuttingDown = true;
    }

    /** No answer is waited for any more. */
    void end() {
        isEnded = true;
        listing = null;
    }

    /** Whether the last answer came after {@link #answer} had returned. */
    boolean wasDeferred() {
        return isDeferred;
    }

    /** Answers an option with its data. */
    void answer(int option, ByteBuf data) {
        isDeferred = false;
        switch (option) {
            case NbdOption.EXPORT_NAME -> exportName(data);
            case NbdOption.INFO, NbdOption.GO -> info(option, OptionData.Info.parse(data));
            default -> contexts(option, OptionData.Contexts.parse(data));
        }
    }

    /** Answers an option whose data was passed over. */
    void answerSkipped(int option, long dataBytes) {
        isDeferred = false;
        if (option == NbdOption.ABORT) {
            replies.ack(option);
            answered.answered(false);
        } else if (isShuttingDown) {
            if (option == NbdOption.EXPORT_NAME) {
                answered.answered(false);
            } else {
                fail(option, NbdOption.REP_ERR_SHUTDOWN, "the server is shutting down");
            }
        } else if (readsData(option)) {
            fail(option, NbdOption.REP_ERR_TOO_BIG, "too much data: length=" + dataBytes);
        } else {
            simple(option, dataBytes);
        }
    }

    private void simple(int option, long dataBytes) {
        boolean isKnown =
                switch (option) {
                    case NbdOption.LIST,
                            NbdOption.STARTTLS,
                            NbdOption.STRUCTURED_REPLY,
                            NbdOption.EXTENDED_HEADERS ->
                            true;
                    default -> false;
                };
        if (isKnown && dataBytes > 0) {
            String message = "this option takes no data: length=" + dataBytes;
            fail(option, NbdOption.REP_ERR_INVALID, message);
        } else if (option == NbdOption.LIST) {
            listing = catalogue.list().iterator();
            proceed();
        } else if (option == NbdOption.STRUCTURED_REPLY) {
            isStructured = true;
            replies.ack(option);
            answered.answered(true);
        } else {
            fail(option, NbdOption.REP_ERR_UNSUP, "not supported: " + NbdOption.toString(option));
        }
    }

    /** Goes on with a list as far as the client takes it. */
    void proceed() {
        Iterator<ExportInfo> exports = listing;
        if (exports == null) {
            return;
        }
        while (exports.hasNext()) {
            if (!context.channel().isWritable()) {
                isDeferred = true;
                context.flush();
                // The flush may have come back here already, by way of the channel's event.
                if (!context.channel().isWritable() || listing != exports) {
                    return;
                }
            }
            replies.server(exports.next());
        }
        listing = null;
        replies.ack(NbdOption.LIST);
        answered.answered(true);
    }

    private void exportName(ByteBuf data) {
        String given = OptionData.text(data, data.readableBytes());
        String name = given == null ? null : resolve(given);
        if (name == null) {
            answered.answered(false);
            return;
        }
        open(
                name,
                export -> {
                    Session session = session(export, name);
                    entry.enter(session, () -> answerExportName(session));
                },
                failure -> answered.answered(false));
    }

    private void answerExportName(Session session) {
        replies.exportName(session.sizeBytes(), session.transmissionFlags(), noZeroes);
    }

    private void info(int option, OptionData.@Nullable Info request) {
        if (request == null) {
            fail(option, NbdOption.REP_ERR_INVALID, "malformed request");
            return;
        }
        String name = resolve(request.name());
        if (name == null) {
            unknown(option, request.name());
            return;
        }
        open(
                name,
                export -> {
                    Session session = session(export, name);
                    Runnable answer = () -> answerInfo(option, session, request);
                    if (option == NbdOption.GO) {
                        entry.enter(session, answer);
                    } else {
                        answer.run();
                        export.close();
                        answered.answered(true);
                    }
                },
                failure -> openFailed(option, name, failure));
    }

    private void answerInfo(int option, Session session, OptionData.Info request) {
        Export export = session.export();
        replies.infoExport(option, session.sizeBytes(), session.transmissionFlags());
        List<Integer> types = request.informationTypes();
        if (types.contains(NbdOption.INFO_NAME)) {
            replies.infoText(option, NbdOption.INFO_NAME, export.name());
        }
        if (types.contains(NbdOption.INFO_DESCRIPTION) && !export.description().isEmpty()) {
            replies.infoText(option, NbdOption.INFO_DESCRIPTION, export.description());
        }
        Geometry geometry = export.geometry();
        int min = geometry.blockSizeMin();
        int preferred = Math.max(BLOCK_SIZE_MIN_OF_PREFERRED, geometry.blockSizePreferred());
        replies.infoBlockSize(option, min, preferred, RequestLayout.PAYLOAD_BYTES_MAX);
        replies.ack(option);
    }

    private Session session(Export export, String name) {
        int flags = TransmissionFlags.of(export.capabilities(), export.readOnly(), isStructured);
        Geometry geometry = export.geometry();
        long sizeBytes = geometry.sizeBytes() & -geometry.blockSizeMin();
        List<MetaContext> contexts = name.equals(contextsOf) ? selected : List.of();
        boolean hasBitmap = contexts.stream().anyMatch(MetaContext::isDirtyBitmap);
        return new Session(
                export,
                sizeBytes,
                flags,
                isStructured,
                contexts.contains(MetaContext.BASE_ALLOCATION),
                hasBitmap ? export.dirtyBitmap() : null);
    }

    private void contexts(int option, OptionData.@Nullable Contexts request) {
        if (option == NbdOption.SET_META_CONTEXT) {
            contextsOf = null;
        }
        if (request == null) {
            fail(option, NbdOption.REP_ERR_INVALID, "malformed request");
            return;
        }
        if (!isStructured) {
            fail(option, NbdOption.REP_ERR_INVALID, "structured replies come first");
            return;
        }
        String name = resolve(request.name());
        if (name == null || !catalogue.contains(name)) {
            unknown(option, request.name());
            return;
        }
        List<String> queries = request.queries();
        if (option == NbdOption.SET_META_CONTEXT) {
            contextsOf = name;
            selected = offered(name).filter(it -> queries.contains(it.name())).toList();
            selected.forEach(it -> replies.metaContext(option, it.id(), it));
        } else {
            offered(name)
                    .filter(it -> queries.isEmpty() || queries.stream().anyMatch(it::isListedBy))
                    .forEach(it -> replies.metaContext(option, 0, it));
        }
        replies.ack(option);
        answered.answered(true);
    }

    private Stream<MetaContext> offered(String name) {
        return Stream.concat(
                Stream.of(MetaContext.BASE_ALLOCATION),
                catalogue.dirtyBitmap(name).stream().map(MetaContext::dirtyBitmap));
    }

    /** The name of the export that a client means; null if there is none. */
    private @Nullable String resolve(String given) {
        return given.isEmpty() ? catalogue.defaultExport().orElse(null) : given;
    }

    private interface Opened {
        void opened(Export export);
    }

    private interface Failed {
        void failed(Throwable cause);
    }

    /** Opens an export and comes back to the loop with it, later or at once. */
    private void open(String name, Opened opened, Failed failed) {
        boolean[] isReturned = {false};
        catalogue
                .open(name)
                .whenComplete(
                        (export, failure) -> {
                            boolean isNow =
                                    !isReturned[0] && context.channel().eventLoop().inEventLoop();
                            Runnable task = () -> arrived(export, failure, opened, failed);
                            if (isNow) {
                                task.run();
                            } else {
                                context.channel().eventLoop().execute(task);
                            }
                        });
        isReturned[0] = true;
        isDeferred = true;
    }

    private void arrived(
            @Nullable Export export, @Nullable Throwable failure, Opened opened, Failed failed) {
        if (isEnded) {
            if (export != null) {
                export.close();
            }
        } else if (export != null && isShuttingDown) {
            export.close();
            failed.failed(new BlockException(BlockError.ESHUTDOWN, "shutting down"));
        } else if (export != null) {
            opened.opened(export);
        } else {
            failed.failed(failure == null ? new IllegalStateException("no export") : failure);
        }
    }

    private void openFailed(int option, String name, Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        BlockError error = cause instanceof BlockException e ? e.error() : BlockError.EIO;
        if (error == BlockError.EINVAL && !catalogue.contains(name)) {
            // A name that no export can have is not there either.
            error = BlockError.ENOENT;
        }
        switch (error) {
            case ENOENT -> unknown(option, name);
            case EPERM, EBUSY ->
                    fail(option, NbdOption.REP_ERR_POLICY, "not available: " + error.text());
            case ESHUTDOWN ->
                    fail(option, NbdOption.REP_ERR_SHUTDOWN, "the server is shutting down");
            default -> {
                // The client learns no more than the kind of error: it may not be a friend.
                peer.log()
                        .warn(
                                peer.name(),
                                "export cannot be opened",
                                "name="
                                        + ClientText.quoted(name)
                                        + ", cause="
                                        + ClientText.quoted(Reason.of(cause)));
                fail(option, NbdOption.REP_ERR_PLATFORM, "cannot be opened: " + error.text());
            }
        }
    }

    private void unknown(int option, String name) {
        fail(option, NbdOption.REP_ERR_UNKNOWN, "no such export: " + name);
    }

    private void fail(int option, int type, String message) {
        replies.error(option, type, message);
        answered.answered(true);
    }
}
