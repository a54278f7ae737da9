package io.zipcomm.testkit.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A network namespace without a name: a descriptor of the wire's process. */
final class Namespace {

    private static final String BASICS = """
            set -e
            ip link set lo up
            cd /proc/sys/net
            echo reno > ipv4/tcp_congestion_control
            echo 0 > ipv4/conf/all/rp_filter
            echo 0 > ipv4/conf/default/rp_filter
            # No addresses but those that are given, and no packets but those of processes.
            echo 1 > ipv6/conf/all/addr_gen_mode
            echo 1 > ipv6/conf/default/addr_gen_mode
            echo 0 > ipv6/conf/all/accept_dad
            echo 0 > ipv6/conf/default/accept_dad
            """;

    private final WireProcess wire;
    private final int descriptor;

    /** Makes a namespace with nothing but loopback. */
    Namespace(WireProcess wire) {
        this.wire = wire;
        descriptor = Integer.parseInt(wire.ask("namespace"));
    }

    int descriptor() {
        return descriptor;
    }

    /** A command line that runs another one inside; the process is the same one. */
    List<String> enter(List<String> command) {
        List<String> whole = new ArrayList<>();
        whole.add("nsenter");
        whole.add("--net=/proc/" + wire.pid() + "/fd/" + descriptor);
        whole.add("--");
        whole.addAll(command);
        return whole;
    }

    /** Sets up a new namespace: what all have, then the given commands of {@code sh}. */
    void setUp(String script) {
        run(BASICS + script);
    }

    /**
     * Runs commands of {@code sh} inside.
     *
     * @throws IllegalStateException if one fails, with what it said
     */
    void run(String script) {
        try {
            Process shell = new ProcessBuilder(enter(List.of("sh", "-e")))
                    .redirectErrorStream(true)
                    .start();
            try (var in = shell.outputWriter(StandardCharsets.UTF_8)) {
                in.write(script);
            }
            String said = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            WireProcess.await(shell, "setting up a namespace");
            if (shell.exitValue() != 0) {
                throw new IllegalStateException("lab: " + said.strip() + "\nin\n" + script);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Empties the connection tracking, without a word to anybody. */
    void forgetFlows() {
        wire.ask("forget " + descriptor);
    }

    /** The same for flows from and to an IPv4 address. */
    void forgetFlows(InetAddress outside) {
        wire.ask("forget " + descriptor + " " + outside.getHostAddress());
    }
}
