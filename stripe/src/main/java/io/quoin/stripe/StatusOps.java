package io.quoin.stripe;

import io.quoin.block.BlockError;
import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayDeque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * BLOCK_STATUS of a striped file: every part is asked for what it has of the range, and the answers
 * are put together in the order of the file, up to where the first of them ends.
 *
 * <p>Threading: confined(loop).
 */
final class StatusOps {
    /** An answer covers no more, since putting it together takes the loop's time. */
    private static final int BLOCKS_MAX = 4096;

    private static final int EXTENTS_MAX = 1024;
    private static final int ABSENT = BlockStatus.HOLE | BlockStatus.ZERO;

    private final StripedFile file;
    private final StripeMap map;
    private final Loop loop;
    private final ArrayDeque<StatusOp> idle = new ArrayDeque<>();

    StatusOps(StripedFile file, Loop loop) {
        this.file = file;
        this.map = file.map();
        this.loop = loop;
    }

    void submit(IoRequest request) {
        StatusOp op = idle.isEmpty() ? new StatusOp() : idle.pollLast();
        op.start(request);
    }

    private final class StatusOp {
        private final ExtentList[] answers = new ExtentList[map.count()];
        private final int[] extent = new int[map.count()];
        private final long[] usedBytes = new long[map.count()];
        private final long[] presentEnd = new long[map.count()];
        private final IoCompletion whenPartDone = this::partDone;
        private @Nullable IoRequest request;
        private BlockError error = BlockError.OK;
        private long endBytes;
        private int pending;

        StatusOp() {
            for (int part = 0; part < answers.length; part++) {
                answers[part] = new ExtentList(EXTENTS_MAX);
            }
        }

        void start(IoRequest newRequest) {
            request = newRequest;
            error = BlockError.OK;
            long firstBlock = newRequest.offsetBytes() / map.blockBytes();
            endBytes =
                    Math.min(newRequest.endBytes(), (firstBlock + BLOCKS_MAX) * map.blockBytes());
            pending = 1;
            for (int part = 0; part < answers.length; part++) {
                ask(part, newRequest);
            }
            end(BlockError.OK);
        }

        private void ask(int part, IoRequest whole) {
            answers[part].clear();
            extent[part] = 0;
            usedBytes[part] = 0;
            long start = map.shareBytes(part, whole.offsetBytes());
            presentEnd[part] = file.presentBytes(part, map.shareBytes(part, endBytes));
            if (presentEnd[part] <= start) {
                return;
            }
            IoRequest own =
                    loop.requests()
                            .acquire()
                            .prepare(
                                    IoOp.BLOCK_STATUS,
                                    PartHeaderLayout.DATA_OFFSET + start,
                                    presentEnd[part] - start,
                                    whole.flags())
                            .extents(answers[part]);
            pending++;
            own.push(whenPartDone);
            file.part(part).submit(own);
        }

        private void partDone(IoRequest own, BlockError how) {
            loop.requests().release(own);
            end(how);
        }

        private void end(BlockError how) {
            if (error.isOk()) {
                error = how;
            }
            pending--;
            if (pending > 0) {
                return;
            }
            IoRequest whole = Objects.requireNonNull(request, "status without a request");
            if (error.isOk()) {
                merge(whole);
            }
            BlockError result = error;
            request = null;
            idle.addLast(this);
            whole.complete(result);
        }

        private void merge(IoRequest whole) {
            ExtentList target = Objects.requireNonNull(whole.extents(), "status without a list");
            boolean isOneEnough = whole.has(IoFlags.REQ_ONE);
            long at = whole.offsetBytes();
            while (at < endBytes) {
                int part = map.partOf(at);
                long inPart = map.shareBytes(part, at);
                long lengthBytes = Math.min(endBytes, map.blockEndBytes(at)) - at;
                int status = ABSENT;
                if (inPart < presentEnd[part]) {
                    if (extent[part] == answers[part].count()) {
                        return; // as far as that part has told
                    }
                    long left = answers[part].extentLengthBytes(extent[part]) - usedBytes[part];
                    lengthBytes = Math.min(lengthBytes, left);
                    status = answers[part].status(extent[part]);
                    use(part, lengthBytes, left);
                }
                boolean isOther = target.count() > 0 && target.status(0) != status;
                if ((isOneEnough && isOther) || !target.add(lengthBytes, status)) {
                    return;
                }
                at += lengthBytes;
            }
        }

        private void use(int part, long lengthBytes, long left) {
            if (lengthBytes == left) {
                extent[part]++;
                usedBytes[part] = 0;
            } else {
                usedBytes[part] += lengthBytes;
            }
        }
    }
}
