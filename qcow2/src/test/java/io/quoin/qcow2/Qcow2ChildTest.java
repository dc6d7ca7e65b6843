package io.quoin.qcow2;

import io.quoin.testkit.ChildContract;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.OptionValues;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Images in a brick that is late, that hangs, that goes away, and that keeps payloads. */
@LogsErrors("image refuses writes from now on: file=a.qcow2, flush failed")
class Qcow2ChildTest extends ChildContract {
    @Override
    protected Xlator above(Xlator below, VirtualLoopGroup loops) {
        Qcow2Type type = new Qcow2Type();
        return type.create(
                "images",
                new OptionValues(type.options(), Map.of()),
                List.of(below),
                new GraphContext(loops, loops.blocking(), Path.of(".")));
    }

    @Override
    protected String fileName(String stem) {
        return stem + ".qcow2";
    }

    @Override
    protected boolean canShrink() {
        return false;
    }
}
