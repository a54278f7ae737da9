package io.zipcomm.bench.cluster;

import io.zipcomm.bench.Main;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** The relay daemon, as a process of its own. */
final class RelayProcess implements GroupSource, AutoCloseable {

    private static final int CONNECT_MS = 500;

    private final ServerProcess process;

    private RelayProcess(ServerProcess process) {
        this.process = process;
    }

    /**
     * Starts a relay that admits everybody on this machine.
     *
     * @param options of {@code zip relay}, beside where to listen
     */
    static RelayProcess start(String... options) throws WorkerFailure, InterruptedException {
        return new RelayProcess(ServerProcess.start("relay", port -> command(port, options), RelayProcess::answers));
    }

    private static List<String> command(int port, String... options) {
        List<String> arguments = new ArrayList<>(List.of("relay", "--listen", "127.0.0.1:" + port, "--insecure"));
        arguments.addAll(List.of(options));
        return ChildJvm.command(ChildJvm.flags(), Main.class, arguments.toArray(String[]::new));
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
