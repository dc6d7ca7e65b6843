package io.quoin.testkit;

import io.quoin.testkit.RandomOperations.Operation;
import io.quoin.xlator.OpenMode;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What every xlator keeps to. A test of an xlator extends this, makes the xlator, and says by the
 * hooks what it cannot do; each test starts with a fresh one behind a checked boundary. What a
 * device can do is asked of its capabilities.
 *
 * <p>Threading: confined to the test.
 */
@Timeout(300)
public abstract class XlatorContract extends DataContract {
    @Test
    void shouldEqualTheModelWhenOperationsAreRandom() {
        runRandom(1);
    }

    @Test
    void shouldEqualTheModelWhenManyRandomOperationsAreInFlight() {
        runRandom(16);
    }

    /** Random operations in four parts, between which the file is closed and opened again. */
    private void runRandom(int depthMax) {
        FileDriver driver = createAndOpen("a");
        ModelDisk model = new ModelDisk(sizeBytes());
        RandomOperations random =
                new RandomOperations(
                        RandomOperations.seed(),
                        driver.device().geometry(),
                        driver.device().capabilities());
        for (int part = 0; part < 4; part++) {
            List<Operation> operations = random.next(randomOperationCount() / 4);
            model.performAll(driver, operations, depthMax);
            model.checkStatus(driver, 0, sizeBytes());
            driver = reopen(driver, OpenMode.READ_WRITE);
            model.checkContent(driver);
        }
    }
}
