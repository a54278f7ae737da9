package io.zipcomm.bench.chaos;

import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.bench.lab.LabGroup;
import io.zipcomm.testkit.lab.LabHost;
import io.zipcomm.testkit.lab.NetworkLab;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A host in a lab for each process, and one for the relay. */
final class LabGround implements Ground {

    private final NetworkLab lab;
    private final String relay;
    private final Map<Integer, LabHost> hosts = new HashMap<>();

    private LabGround(NetworkLab lab, String relay) {
        this.lab = lab;
        this.relay = relay;
    }

    static LabGround open() throws IOException {
        NetworkLab lab = NetworkLab.open();
        try {
            return new LabGround(lab, LabGroup.startRelay(lab.publicHost("relay")));
        } catch (IOException | RuntimeException e) {
            lab.close();
            throw e;
        }
    }

    private LabHost host(int process) {
        return hosts.computeIfAbsent(process, number -> lab.publicHost("host-" + number));
    }

    @Override
    public GroupEnvironment newGroup(int size, String transport) {
        return new GroupEnvironment(relay, GroupEnvironment.randomSession("chaos"), size, transport, "");
    }

    @Override
    public List<String> command(int process, List<String> command) {
        return host(process).command(command);
    }

    @Override
    public void cut(int process) {
        host(process).link().cut();
    }

    @Override
    public void heal(int process) {
        host(process).link().heal();
    }

    @Override
    public void killRelay() {
        throw new UnsupportedOperationException("relays of labs end with them");
    }

    @Override
    public void restartRelay() {
        throw new UnsupportedOperationException("relays of labs end with them");
    }

    @Override
    public void close() {
        lab.close();
    }
}
