package io.zipcomm.bench.chaos;

import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.bench.cluster.WorkerFailure;
import java.io.IOException;
import java.util.List;

/** Where the processes of a group run, with a relay that ends with it. */
interface Ground extends AutoCloseable {

    /** What ranks are told. */
    GroupEnvironment newGroup(int size, String transport);

    /** The command line by which a process is started. */
    List<String> command(int process, List<String> command);

    /** Takes a process's host off the network. */
    void cut(int process);

    /** Ends a {@link #cut}. */
    void heal(int process);

    /** Kills the relay, for good. */
    void killRelay();

    /** Kills the relay, and starts another at its address. */
    void restartRelay() throws WorkerFailure, InterruptedException, IOException;

    @Override
    void close();
}
