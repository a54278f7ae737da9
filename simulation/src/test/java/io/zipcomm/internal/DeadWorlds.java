package io.zipcomm.internal;

import io.zipcomm.Communicator;

/** What a process that was killed leaves behind in this one, where it was simulated. */
public final class DeadWorlds {

    private DeadWorlds() {}

    /** The world's process is gone: nobody will ever close it. */
    public static void forget(Communicator world) {
        OpenWorlds.closed((GroupCommunicator) world);
    }
}
