package io.zipcomm.testkit.lab;

import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A host of a lab: one interface, {@code eth0}, beside loopback. Processes in it see this machine's files and processes and
 * nothing of its network.
 *
 * <p>Thread: any.
 */
public final class LabHost {

    private final String name;
    private final Namespace namespace;
    private final InetAddress address;
    private final InetAddress addressV6;
    private final LabLink link;

    LabHost(String name, Namespace namespace, InetAddress address, InetAddress addressV6, LabLink link) {
        this.name = name;
        this.namespace = namespace;
        this.address = address;
        this.addressV6 = addressV6;
        this.link = link;
    }

    /** Its name in the lab. */
    public String name() {
        return name;
    }

    /** Its IPv4 address. Behind gateways that translate, hosts of different networks have the same ones. */
    public InetAddress address() {
        return address;
    }

    /** Its IPv6 address; public hosts have one, and hosts behind gateways that do not translate. */
    public Optional<InetAddress> addressV6() {
        return Optional.ofNullable(addressV6);
    }

    /** The wire to its gateway, or for a public host to the internet. */
    public LabLink link() {
        return link;
    }

    /**
     * A command line that runs another one in this host, for those who start their processes themselves. The program runs in
     * the process that is started, not in a child of it.
     */
    public List<String> command(List<String> command) {
        return namespace.enter(command);
    }

    /**
     * Starts a process in this host. It ends with the lab at the latest, as does whatever it has started.
     *
     * @param command     program and arguments
     * @param environment variables besides those of this process
     * @return the process; its input and both outputs are pipes, the caller's to use
     */
    public Process start(List<String> command, Map<String, String> environment) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command(command));
        builder.environment().putAll(environment);
        return builder.start();
    }

    @Override
    public String toString() {
        return name + " (" + address.getHostAddress() + ")";
    }
}
