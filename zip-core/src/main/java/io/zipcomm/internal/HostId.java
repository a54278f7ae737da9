package io.zipcomm.internal;

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
     * Finds this host's identity.
     *
     * @param override used instead, if not empty
     * @return on Linux the boot's random id and the network namespace; elsewhere the host's name
     */
    public static String find(String override) {
        if (!override.isEmpty()) {
            return override;
        }
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
