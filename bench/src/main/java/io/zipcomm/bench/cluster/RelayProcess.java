package io.zipcomm.bench.cluster;

import io.zipcomm.bench.Main;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** The relay daemon, as a process of its own. */
public final class RelayProcess implements GroupSource, AutoCloseable {

    private static final int CONNECT_MS = 500;

    private final ServerProcess process;

    private RelayProcess(ServerProcess process) {
        this.process = process;
    }

    /**
     * Starts a relay that admits everybody on this machine.
     *
     * @param flags of its virtual machine, beside those of all
     */
    public static RelayProcess start(List<String> flags) throws WorkerFailure, InterruptedException {
        return new RelayProcess(ServerProcess.start("relay", port -> command(port, flags), RelayProcess::answers));
    }

    /** Starts a relay where one was killed. */
    public RelayProcess restart() throws WorkerFailure, InterruptedException, IOException {
        return new RelayProcess(ServerProcess.startAt(
                process.address().getPort(), "relay", port -> command(port, List.of()), RelayProcess::answers));
    }

    /** Kills the relay without warning. */
    public void kill() {
        process.kill();
    }

    private static List<String> command(int port, List<String> more) {
        List<String> flags = new ArrayList<>(ChildJvm.flags());
        flags.addAll(more);
        return ChildJvm.command(flags, Main.class, "relay", "--listen", "127.0.0.1:" + port, "--insecure");
    }

    /** Resident memory of the daemon at its peak; NaN if it cannot be read. */
    double peakMemoryBytes() {
        return process.peakMemoryBytes();
    }

    private static boolean answers(InetSocketAddress address) {
        try (Socket socket = new Socket()) {
            socket.connect(address, CONNECT_MS);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public GroupEnvironment newGroup(String name, int size, String transport) {
        String session = GroupEnvironment.randomSession(name);
        return new GroupEnvironment("127.0.0.1:" + process.address().getPort(), session, size, transport, "");
    }

    @Override
    public void close() {
        process.close();
    }
}
