package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Writes to {@code target/one-sided-times.txt} what one-sided operations cost, and what all-gather and all-reduce cost by messages and by puts or gets of memory that is
 * exposed once: a measurement, not a check of times, and not part of the usual tests. Each rank is a process.
 *
 * <pre>
 * mvn test -pl collectives -am -Dtest=OneSidedTimes -Dsurefire.failIfNoSpecifiedTests=false
 * </pre>
 */
final class OneSidedTimes {

    @ParameterizedTest
    @CsvSource({"shm, 2", "shm, 4", "tcp;ofi_rxm, 2", "tcp;ofi_rxm, 4"})
    void shouldPrintTimes(String provider, int size) throws Exception {
        List<Process> processes = new ArrayList<>();
        try (RelayServer relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build())) {
            for (int rank = 0; rank < size; rank++) {
                processes.add(start(relay.address().getPort(), size, rank, provider));
            }
            for (Process process : processes) {
                assertEquals(0, process.waitFor());
            }
        } finally {
            processes.forEach(Process::destroyForcibly);
        }
    }

    private static Process start(int port, int size, int rank, String provider) throws Exception {
        return new ProcessBuilder(
                        java.nio.file.Path.of(System.getProperty("java.home"), "bin", "java")
                                .toString(),
                        "-XX:+IgnoreUnrecognizedVMOptions",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-Dzip.native.path=" + System.getProperty("zip.native.path"),
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        OneSidedRank.class.getName(),
                        Integer.toString(port),
                        Integer.toString(size),
                        Integer.toString(rank),
                        provider)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(new File("target", "one-sided-times.txt")))
                .start();
    }
}
