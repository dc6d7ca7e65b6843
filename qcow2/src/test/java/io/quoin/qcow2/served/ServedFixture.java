package io.quoin.qcow2.served;

import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.xlator.XlatorFile;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Checks of an open image on a virtual loop. */
final class ServedFixture {
    final List<String> findings = new ArrayList<>();
    private final ImageFixture images;
    private final XlatorFile file;

    ServedFixture(ImageFixture images, XlatorFile file) {
        this.images = images;
        this.file = file;
    }

    /** Begins one; the loop is not driven. */
    CompletionStage<OpenCheck> start(boolean repairLeaks) {
        return images.loops
                .loop(0)
                .call(
                        () ->
                                CheckControl.of(file)
                                        .orElseThrow()
                                        .check(
                                                repairLeaks,
                                                new CheckListener() {
                                                    @Override
                                                    public void finding(String text) {
                                                        findings.add(text);
                                                    }
                                                }));
    }

    OpenCheck check() {
        return images.loops.await(start(false));
    }

    OpenCheck repair() {
        return images.loops.await(start(true));
    }

    void stop(String reason) {
        images.loops.loop(0).run(() -> CheckControl.of(file).orElseThrow().stop(reason));
    }
}
