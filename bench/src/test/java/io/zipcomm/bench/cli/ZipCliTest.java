package io.zipcomm.bench.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.plan.Transports;
import io.zipcomm.bench.simulate.PredictionFile;
import io.zipcomm.settings.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ZipCliTest {

    private static final String KEY = "a secret of at least thirty-two bytes";

    @Test
    void shouldListItsCommands() {
        CapturedCli.Result result = CapturedCli.run("--help");
        assertEquals(0, result.exitCode());
        for (String command : List.of("bench", "simulate", "tune", "run", "relay", "doctor", "token")) {
            assertTrue(result.out().contains("\n  " + command + " "), result.out());
        }
        assertEquals(2, CapturedCli.run().exitCode());
    }

    @ParameterizedTest
    @ValueSource(strings = {"bench", "simulate", "tune", "run", "relay", "doctor", "token", "warm-archive"})
    void shouldHelpWithEveryCommand(String command) {
        CapturedCli.Result result = CapturedCli.run(command, "--help");
        assertEquals(0, result.exitCode());
        assertTrue(result.out().startsWith("Usage: zip " + command), result.out());
        assertEquals("", result.err());
    }

    @Test
    void shouldOfferItsBenchOptions() {
        String help = CapturedCli.run("bench", "--help").out();
        for (String option : List.of(
                "--ops",
                "--ranks",
                "--bytes",
                "--transport",
                "--algorithm",
                "--iterations",
                "--csv",
                "--report",
                "--baseline",
                "--isolate",
                "--congestion",
                "--explain",
                "--audit",
                "--cold-start",
                "--kill")) {
            assertTrue(help.contains("  " + option), option);
        }
    }

    /** Before a rank is started, whether it is the library that is missing or only what is named. */
    @Test
    void shouldSayAtOnceThatRdmaCannotBeUsed() {
        System.setProperty(Setting.RDMA_PROVIDER.property(), "no-such-provider");
        try {
            CapturedCli.Result result = CapturedCli.run("bench", "--transport", "rdma", "--ranks", "2");
            assertEquals(2, result.exitCode(), result.err());
            assertTrue(result.err().startsWith("zip bench: --transport rdma cannot be used here: "), result.err());
            assertEquals("", result.out());
        } finally {
            System.clearProperty(Setting.RDMA_PROVIDER.property());
        }
    }

    /** Arguments, and what the one line about them says. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "frobnicate                        | zip: unknown command 'frobnicate'; known: bench, simulate, tune, run, soak, relay",
                "bench --ops foo                   | unknown operation 'foo'; known: barrier, pingpong, broadcast",
                "bench --bytes 64KB                | '64KB' is not a size: write bytes, or KiB, MiB, GiB",
                "bench --bytes 4GiB                | '4GiB' is more than the largest size, 1GiB",
                "bench --bytes 7                   | --bytes 7: reduce, allreduce and reducescatter add 4-byte floats",
                "bench --transport ib              | unknown transport 'ib'; known: auto, tcp, relay, aeron-ipc, aeron-udp, rdma",
                "bench --ranks 0                   | '0' is not a whole number from 1",
                "bench --ranks two                 | 'two' is not a whole number from 1",
                "bench --iterations -3             | '-3' is not a whole number from 1",
                "bench --algorithm magic           | unknown algorithm 'magic'; these operations have: ",
                "bench --ops pingpong --ranks 1    | nothing to measure: pingpong needs 2 ranks or more",
                "bench --kill --audit              | mutually exclusive",
                "bench --kill --ranks 1            | --kill needs 2 ranks or more",
                "bench --baseline gloo             | unknown baseline 'gloo'; known: redis, redis://HOST:PORT, mpi",
                "bench --baseline mpi,redis://h    | baseline 'redis://h': expected redis://HOST:PORT",
                "bench --kill --baseline redis     | --baseline, --isolate, --congestion and --report go",
                "bench --isolate --baseline redis://h:1 | cannot be reached from there",
                "bench --kill --report out.html    | --baseline, --isolate, --congestion and --report go",
                "bench --report no/such/out.html   | --report no/such/out.html cannot be written: NoSuchFile",
                "bench --frobnicate                | Unknown option: '--frobnicate'",
                "simulate --ranks 0                | '0' is not a whole number from 1",
                "simulate --alpha 1 --overhead 2   | the overhead, which is part of alpha, of the model cannot be so",
                "run --ranks 2                     | Missing required parameter: 'CMD'",
                "run -- true                       | Missing required option: '--ranks=N'",
                "run --ranks 0 -- true             | '0' is not a whole number from 1",
                "run --ranks 2 --transport x true  | unknown transport 'x'; known: auto, tcp, relay",
                "run --ranks 2 --relay h:x true    | relay address 'h:x': expected host:port",
                "run --ranks 2 --key-file f true   | --key-file goes with --relay",
                "relay                             | no key to check tokens by: give --keys PATHS or --key-file FILE",
                "relay --insecure --listen nowhere | expected host:port",
                "relay --config no/such/file       | no/such/file cannot be read",
                "token --session s                 | Missing required option: '--key-file=FILE'",
                "token --session s --key-file no/f | no/f cannot be read",
                "doctor --relay a:b:c:d/           | expected host:port",
                "doctor --peer x                   | --peer needs a relay, by --relay or ZIP_RELAY",
                "doctor --idle 60s                 | --idle needs a relay",
                "doctor --session x                | --session needs a relay",
                "doctor --relay h --idle 60        | '60' is not a time",
                "doctor --relay h --rung-time 0s   | '0s' is not a time"
            })
    void shouldAnswerWrongCallsShortly(String args, String expected) {
        CapturedCli.Result result = CapturedCli.run(args.split(" ", -1));
        assertEquals(2, result.exitCode(), result.err());
        assertTrue(result.err().contains(expected), result.err());
        assertTrue(result.err().lines().count() <= 2, result.err());
        assertEquals("", result.out());
    }

    @ParameterizedTest
    @ValueSource(strings = {"90s", "30m", "12h", "7d"})
    void shouldMintTokens(String lifetime, @TempDir Path folder) throws IOException {
        String keyFile = Files.writeString(folder.resolve("key"), KEY).toString();
        CapturedCli.Result result = CapturedCli.run(
                "token", "--session", "s", "--key-file", keyFile, "--ranks", "0-3", "--expires", lifetime);
        assertEquals(0, result.exitCode(), result.err());
        assertEquals(3, result.out().trim().split("\\.", -1).length, result.out());
    }

    @ParameterizedTest
    @CsvSource({"--expires,30", "--expires,0s", "--expires,soon", "--ranks,3-1", "--ranks,all"})
    void shouldRefuseTokensThatMakeNoSense(String option, String value, @TempDir Path folder) throws IOException {
        String keyFile = Files.writeString(folder.resolve("key"), KEY).toString();
        CapturedCli.Result result = CapturedCli.run("token", "--session", "s", "--key-file", keyFile, option, value);
        assertEquals(2, result.exitCode());
        assertTrue(result.err().contains("'" + value + "'"), result.err());
    }

    @Test
    void shouldRefuseShortSecrets(@TempDir Path folder) throws IOException {
        String keyFile = Files.writeString(folder.resolve("key"), "short").toString();
        CapturedCli.Result result = CapturedCli.run("token", "--session", "s", "--key-file", keyFile);
        assertEquals(2, result.exitCode());
        assertTrue(result.err().contains("5 bytes: expected 32 or more"), result.err());
    }

    @Test
    void shouldPredictATableAndTheSameAsCsv(@TempDir Path folder) throws IOException {
        Path csv = folder.resolve("predictions.csv");
        CapturedCli.Result result = CapturedCli.run(
                "simulate", "--ops", "allreduce,barrier", "--ranks", "8", "--bytes", "4", "--csv", csv.toString());
        assertEquals(0, result.exitCode(), result.err());
        assertEquals("", result.err());
        assertTrue(result.out().contains("allreduce     doubling                8        4"), result.out());
        assertTrue(result.out().contains("Of 2 choices of the library, 0 take more than 1.5 times"), result.out());
        List<String> lines = Files.readAllLines(csv);
        assertEquals(PredictionFile.HEADER, lines.get(0));
        assertEquals(5, lines.size());
        assertTrue(lines.get(4).startsWith("barrier,dissemination,8,0,0,0.000300000,1.0000,0,24,"), lines.get(4));
    }

    @Test
    void shouldLeaveOutOperationsWithoutTheAlgorithm() {
        CapturedCli.Result result =
                CapturedCli.run("bench", "--ops", "barrier,alltoall", "--algorithm", "no-such-algorithm");
        assertEquals(2, result.exitCode());
        assertTrue(result.err().contains("dissemination"), result.err());
    }

    @Test
    void shouldTakeEveryTransport() {
        for (String name : Transports.ALL) {
            assertEquals(name, new TransportName().convert(name));
            assertTrue(CapturedCli.run("bench", "--help").out().contains(name), name);
        }
        assertEquals(Transports.ALL.size(), TransportName.KNOWN.split(", ", -1).length);
    }

    @Test
    void shouldExplainItsChoicesWithoutMeasuring() {
        CapturedCli.Result result = CapturedCli.run(
                "bench", "--explain", "--ops", "pingpong,allreduce", "--ranks", "4", "--bytes", "8,1MiB");
        assertEquals(0, result.exitCode(), result.err());
        List<String> lines = result.out().lines().toList();
        assertEquals(2, lines.size(), result.out());
        assertTrue(
                lines.get(0).startsWith("all-reduce, 4 ranks on 1 host, 8 bytes: doubling (built-in line "),
                result.out());
        assertTrue(lines.get(1).contains("; ring 6 rounds, 1572864 bytes;"), result.out());
    }
}
