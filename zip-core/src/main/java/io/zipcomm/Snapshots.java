package io.zipcomm;

import io.zipcomm.internal.OpenWorlds;
import io.zipcomm.transport.PathProvider;
import io.zipcomm.transport.TransportProvider;
import java.util.ServiceLoader;

/**
 * For processes that are frozen into an image and started from it, once or many times, as CRaC and SnapStart do. A group does not
 * outlive that: its sockets, its memory and its identity belong to one process. So its members leave it before, and programs join
 * again when they have been restored.
 *
 * <pre>{@code
 * Snapshots.beforeCheckpoint();
 * // the image is made here; what follows runs once in each process that is started from it
 * Snapshots.afterRestore();
 * Communicator world = Zip.join(settings);
 * }</pre>
 *
 * <p>With the module {@code zip-crac} this is done by CRaC's own calls, and a program has only to join again. Whoever uses a communicator
 * of before gets CLOSED, with a text that says so.
 *
 * <p>Any thread, one at a time.
 */
public final class Snapshots {

    private Snapshots() {}

    /**
     * Leaves all groups and closes everything: sockets, threads, shared memory, files. What is under way fails with CLOSED. Blocks
     * until it is closed, for as long as closing may take ({@code ZIP_CLOSE_TIMEOUT}) and a few seconds. From then on nobody can join,
     * until {@link #afterRestore}.
     *
     * @throws io.zipcomm.error.ZipException with code BAD_ARGUMENT if the process is joining a group at this moment, DEADLINE if
     *     something does not close: there must be no snapshot then, and groups can be joined as before
     */
    public static void beforeCheckpoint() {
        OpenWorlds.closeAll();
        // Sessions of TLS must not be taken up by each process that starts from the image.
        ServiceLoader.load(TransportProvider.class).forEach(PathProvider::forgetCached);
    }

    /**
     * Lets the process join groups again. Nothing is known any more of the one before: addresses, names, quotas and clocks are asked for
     * when it joins. Its host's identity is a new one, and its random numbers are seeded anew, so that no two processes that were
     * started from one image are taken for one host, or draw the same nonces. The price: two that run on one machine are as on two, and
     * share no memory. A host id that the program sets itself ({@code ZIP_HOST_ID}) stays as it is.
     */
    public static void afterRestore() {
        OpenWorlds.restored();
    }
}
