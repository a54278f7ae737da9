package io.zipcomm.crac;

import io.zipcomm.Snapshots;
import org.crac.Context;
import org.crac.Core;
import org.crac.Resource;

/**
 * Leaves all groups before a checkpoint, so that nothing is open, and lets the program join again after the restore. Register it once,
 * before the program's own resources: contexts of CRaC ask the latest first before a checkpoint, and the earliest first after it, so a
 * program's {@code afterRestore} can join.
 *
 * <pre>{@code
 * SnapshotResource.register();
 * Core.getGlobalContext().register(myResource);   // joins in its afterRestore
 * }</pre>
 */
public final class SnapshotResource implements Resource {

    /** Contexts do not keep what is registered with them. */
    private static final SnapshotResource INSTANCE = new SnapshotResource();

    private SnapshotResource() {}

    /** Registers with the process's context. Where the Java platform has no checkpoints that does nothing. */
    public static void register() {
        register(Core.getGlobalContext());
    }

    /** Registers with a context of the program's own. */
    public static void register(Context<Resource> context) {
        context.register(INSTANCE);
    }

    /** As {@link Snapshots#beforeCheckpoint}: what that throws makes the checkpoint fail, and the program goes on. */
    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) {
        Snapshots.beforeCheckpoint();
    }

    /** As {@link Snapshots#afterRestore}; also called if the checkpoint failed. */
    @Override
    public void afterRestore(Context<? extends Resource> context) {
        Snapshots.afterRestore();
    }
}
