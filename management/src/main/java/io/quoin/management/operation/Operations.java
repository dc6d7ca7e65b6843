package io.quoin.management.operation;

import com.fasterxml.jackson.databind.JsonNode;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.graph.NearestName;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * All operations.
 *
 * <p>Threading: immutable.
 */
public final class Operations {
    /** In the order of the API document. */
    public static final List<ServiceOperation<?, ?>> ALL =
            List.of(
                    new DiskLs(),
                    new DiskCreate(),
                    new DiskClone(),
                    new DiskInfo(),
                    new DiskChildren(),
                    new DiskResize(),
                    new DiskDisconnect(),
                    new DiskRename(),
                    new DiskRm(),
                    new DiskCheck(),
                    new DiskFlatten(),
                    new DiskDu(),
                    new DiskExport(),
                    new DiskAdopt(),
                    new DiskImport(),
                    new SnapshotAll(),
                    new SnapshotLs(),
                    new SnapshotCreate(),
                    new SnapshotInfo(),
                    new SnapshotDiff(),
                    new SnapshotRm(),
                    new SnapshotRename(),
                    new SnapshotRollback(),
                    new TrashLs(),
                    new TrashRestore(),
                    new TrashPurge(),
                    new TrashEmpty(),
                    new SnapgroupLs(),
                    new SnapgroupCreate(),
                    new SnapgroupRm(),
                    new GroupLs(),
                    new GroupCreate(),
                    new GroupAdd(),
                    new GroupRm(),
                    new BackupLs(),
                    new BackupCreate(),
                    new BackupVerify(),
                    new BackupPrune(),
                    new BackupRestore(),
                    new BackupProtect(),
                    new BackupExport(),
                    new BackupImport(),
                    new ScheduleLs(),
                    new ScheduleCreate(),
                    new ScheduleShow(),
                    new ScheduleRm(),
                    new SchedulePause(),
                    new ScheduleResume(),
                    new ScheduleRun(),
                    new JobLs(),
                    new JobShow(),
                    new JobWait(),
                    new JobCancel(),
                    new JobPause(),
                    new JobResume(),
                    new VolumeLs(),
                    new VolumeCreate(),
                    new VolumeInfo(),
                    new VolumeStatus(),
                    new VolumeHeal(),
                    new VolumeReplace(),
                    new VolumeScrub(),
                    new VolumeGet(),
                    new VolumeSet(),
                    new VolumeReset(),
                    new VolumeStart(),
                    new VolumeStop(),
                    new VolumeDelete(),
                    new NbdShow(),
                    new Status());

    private Operations() {}

    /**
     * The operation of a name.
     *
     * @throws BlockException EINVAL if there is none
     */
    public static ServiceOperation<?, ?> named(String name) {
        Set<String> known = new TreeSet<>();
        for (ServiceOperation<?, ?> operation : ALL) {
            if (operation.type().name().equals(name)) {
                return operation;
            }
            known.add(operation.type().name());
        }
        throw new BlockException(BlockError.EINVAL, NearestName.unknown("operation", name, known));
    }

    /**
     * Carries out the operation of a name.
     *
     * @param fields the request
     * @param volume of names that have none; null: the default one, or the only one
     * @throws BlockException if it fails
     */
    public static Record call(
            String name, JsonNode fields, VolumeRegistry volumes, @Nullable String volume) {
        return call(named(name), fields, volumes, volume);
    }

    private static <Q extends Record, R extends Record> R call(
            ServiceOperation<Q, R> operation,
            JsonNode fields,
            VolumeRegistry volumes,
            @Nullable String volume) {
        return operation.run(Requests.read(fields, operation.type().request()), volumes, volume);
    }

    /** The operation of a type. */
    @SuppressWarnings("unchecked") // the type is the operation's own, and has its parameters
    public static <Q extends Record, R extends Record> ServiceOperation<Q, R> of(
            OperationType<Q, R> type) {
        ServiceOperation<?, ?> operation = named(type.name());
        if (!operation.type().equals(type)) {
            throw new IllegalArgumentException("two operations of one name: " + type.name());
        }
        return (ServiceOperation<Q, R>) operation;
    }
}
