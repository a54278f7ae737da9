package io.zipcomm.internal;

import io.zipcomm.membership.Incarnation;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;

/** The identity by which ranks find out that they share a kernel and a network stack. */
public final class HostId {

    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final Path NETWORK = Path.of("/proc/self/ns/net");

    private HostId() {}

    /**
     * Finds this host's identity. A process that was restored from a snapshot has one of its own: copies of a virtual machine have the
     * boot id and the namespace in common, and are not one host. So two processes that are restored on one machine are as on two:
     * they share no memory, and reach each other by the addresses by which others do.
     *
     * @param override used instead, if not empty
     * @return on Linux the boot's random id and the network namespace; elsewhere the host's name; with the {@link Incarnation} of a
     *     process that was restored
     */
    public static String find(String override) {
        if (!override.isEmpty()) {
            return override;
        }
        String incarnation = Incarnation.id();
        return incarnation.isEmpty() ? ofMachine() : ofMachine() + "/" + incarnation;
    }

    private static String ofMachine() {
        try {
            return Files.readString(BOOT_ID).trim() + "/" + Files.readSymbolicLink(NETWORK);
        } catch (IOException | RuntimeException e) {
            return hostName();
        }
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (IOException e) {
            return "unknown-" + ProcessHandle.current().pid();
        }
    }
}
