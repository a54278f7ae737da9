package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.bench.report.CongestionControl;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class OwnNetworkTest {

    private static final String CONTROL = "reno";

    /** Every kernel has reno, and few systems have it as their default: where it is found it was enforced. */
    @Test
    void shouldGiveBothEndsOfAConnectionItsCongestionControl() throws IOException, InterruptedException {
        OwnNetwork network = OwnNetwork.find(CONTROL);
        assumeTrue(network.unavailabilityReason() == null, network.unavailabilityReason());
        assumeTrue(hasSocketStatistics(), "there is no ss to look at sockets with");
        assertEquals(0, network.run(Inside.class, List.of("argument")));
    }

    @Test
    void shouldSayWhyThereIsNone() throws InterruptedException {
        assertNotNull(OwnNetwork.find("no-such-control").unavailabilityReason());
        assertFalse(OwnNetwork.isInside());
    }

    @Test
    void shouldKnowWhenAllHaveTheSame() {
        assertFalse(new CongestionControl("bbr", false).isSameForAll());
        assertEquals("cubic for all, the system's default", new CongestionControl("cubic", false).describe());
        assertEquals(
                "reno for all, enforced in a network namespace of the run's own",
                new CongestionControl("reno", true).describe());
    }

    private static boolean hasSocketStatistics() throws InterruptedException {
        try {
            return new ProcessBuilder("ss", "--version").start().waitFor(10, TimeUnit.SECONDS);
        } catch (IOException e) {
            return false;
        }
    }

    /** What runs in the network: looks at a connection of its own. */
    public static final class Inside {

        private Inside() {}

        /**
         * Exits with 0 if all is as it should be.
         *
         * @param args one
         */
        public static void main(String[] args) throws IOException {
            try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                    Socket one = new Socket(server.getInetAddress(), server.getLocalPort());
                    Socket other = server.accept()) {
                Process ss = new ProcessBuilder("ss", "-H", "-t", "-i", "-n", "state", "established").start();
                String text = new String(ss.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                long ends = text.lines()
                        .filter(line -> line.trim().startsWith(CONTROL + " "))
                        .count();
                boolean right = ends == 2
                        && args.length == 1
                        && OwnNetwork.isInside()
                        && OwnNetwork.congestionControl().equals(new CongestionControl(CONTROL, true))
                        && one.getPort() == other.getLocalPort();
                if (!right) {
                    System.err.println(text);
                }
                System.exit(right ? 0 : 1);
            }
        }
    }
}
