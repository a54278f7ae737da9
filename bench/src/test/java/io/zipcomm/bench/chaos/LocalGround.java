package io.zipcomm.bench.chaos;

import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.bench.cluster.RelayProcess;
import io.zipcomm.bench.cluster.WorkerFailure;
import java.io.IOException;
import java.util.List;

/** All on this machine, with one network. */
final class LocalGround implements Ground {

    private RelayProcess relay;

    private LocalGround(RelayProcess relay) {
        this.relay = relay;
    }

    static LocalGround open() throws WorkerFailure, InterruptedException {
        return new LocalGround(RelayProcess.start(List.of()));
    }

    @Override
    public GroupEnvironment newGroup(int size, String transport) {
        return relay.newGroup("chaos", size, transport);
    }

    @Override
    public List<String> command(int process, List<String> command) {
        return command;
    }

    @Override
    public void cut(int process) {
        throw new UnsupportedOperationException("all processes have one network");
    }

    @Override
    public void heal(int process) {
        throw new UnsupportedOperationException("all processes have one network");
    }

    @Override
    public void killRelay() {
        relay.kill();
    }

    @Override
    public void restartRelay() throws WorkerFailure, InterruptedException, IOException {
        try (RelayProcess old = relay) {
            old.kill();
            relay = old.restart();
        }
    }

    @Override
    public void close() {
        relay.close();
    }
}
