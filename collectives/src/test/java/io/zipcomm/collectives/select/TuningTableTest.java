package io.zipcomm.collectives.select;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings.RelayCollectives;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tables of the user's, right and wrong. */
final class TuningTableTest {

    @TempDir
    private Path folder;

    private TuningTable table(String... lines) throws IOException {
        return TuningTable.of(Files.write(folder.resolve("my.tuning"), java.util.List.of(lines))
                .toString());
    }

    @Test
    void shouldGoBeforeTheBuiltInTable() throws IOException {
        TuningTable table = table(
                "# measured on a rainy day",
                "",
                "all-reduce one 3-4 65536 ring 8192   # short segments",
                "broadcast * 2^k 1024/rank chain");
        Selector four = new Selector(4, Hosts.Spread.ONE, table);
        Selector usual = new Selector(4, Hosts.Spread.ONE, TuningTable.builtIn());
        CollectiveOperation allReduce = CollectiveOperation.ALL_REDUCE;
        assertEquals(AlgorithmName.RING, four.algorithm(allReduce, 65536));
        assertEquals(8192, four.segmentBytes(allReduce, AlgorithmName.RING, 65536));
        assertTrue(four.rule(allReduce, 8).origin().endsWith("my.tuning line 3"));
        assertEquals(usual.rule(allReduce, 65537), four.rule(allReduce, 65537));
        assertEquals(AlgorithmName.DOUBLING, new Selector(5, Hosts.Spread.ONE, table).algorithm(allReduce, 100));
        assertEquals(AlgorithmName.DOUBLING, new Selector(4, Hosts.Spread.APART, table).algorithm(allReduce, 100));
        assertEquals(AlgorithmName.CHAIN, four.algorithm(CollectiveOperation.BROADCAST, 4096));
        assertEquals(AlgorithmName.BINOMIAL, four.algorithm(CollectiveOperation.BROADCAST, 4100));
    }

    @Test
    void shouldHaveLinesForGroupsOnAFabric() throws IOException {
        TuningTable table = table("all-gather fabric 3- 1024 pairwise");
        CollectiveOperation allGather = CollectiveOperation.ALL_GATHER;
        for (Hosts hosts : new Hosts[] {Hosts.one(4), Hosts.apart(4), Hosts.blocks(4, 2)}) {
            AlgorithmName usual = new Selector(hosts, table, RelayCollectives.OFF).algorithm(allGather, 1024);
            AlgorithmName onFabric =
                    new Selector(hosts.onFabric(), table, RelayCollectives.OFF).algorithm(allGather, 1024);
            assertNotEquals(AlgorithmName.PAIRWISE, usual);
            assertEquals(hosts.count() == 1 ? AlgorithmName.PAIRWISE : usual, onFabric);
        }
        Selector builtIn = new Selector(Hosts.one(2).onFabric(), TuningTable.builtIn(), RelayCollectives.OFF);
        assertEquals(AlgorithmName.PAIRWISE, builtIn.algorithm(allGather, 1 << 20));
        assertEquals(AlgorithmName.EXCHANGE, builtIn.algorithm(CollectiveOperation.ALL_REDUCE, 1 << 20));
    }

    @Test
    void shouldHaveLinesForGroupsThatCast() throws IOException {
        TuningTable table = table("broadcast cast 3- 1024 linear");
        CollectiveOperation broadcast = CollectiveOperation.BROADCAST;
        for (Hosts hosts : new Hosts[] {Hosts.one(4), Hosts.apart(4), Hosts.blocks(4, 2)}) {
            AlgorithmName usual = new Selector(hosts, table, RelayCollectives.OFF).algorithm(broadcast, 100);
            Selector casting = new Selector(hosts.casting(), table, RelayCollectives.OFF);
            assertEquals(AlgorithmName.LINEAR, casting.algorithm(broadcast, 100));
            assertNotEquals(AlgorithmName.LINEAR, usual);
            assertEquals(
                    new Selector(hosts, TuningTable.builtIn(), RelayCollectives.OFF).algorithm(broadcast, 1025),
                    new Selector(hosts, table, RelayCollectives.OFF).algorithm(broadcast, 1025));
        }
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            value = {
                "all-reduce one 4 100,                          4 columns",
                "all-reduce one 4 100 ring 8192 more,           7 columns",
                "all-reducing one 4 100 ring,                   operation 'all-reducing'",
                "all-reduce two 4 100 ring,                     hosts 'two'",
                "all-reduce one 4- x ring,                      'x'",
                "all-reduce one 0 100 ring,                     '0'",
                "all-reduce one 8-4 100 ring,                   '4'",
                "all-reduce one 4 -1 ring,                      '-1'",
                "all-reduce one 4 100 magic,                    algorithm 'magic'",
                "all-reduce one 4 100 bruck,                    algorithm 'bruck'",
                "all-reduce one 4 100 ring 1000,                '1000'",
                "all-reduce one 4 100 ring 5000,                segment '5000'",
                "all-reduce one 4 100 ring 16384-8192,          segment '16384-8192'"
            })
    void shouldSayWhichLineIsWrong(String line, String found) {
        ZipException problem = assertThrows(ZipException.class, () -> table("# one", line));
        assertEquals(ErrorCode.BAD_SETTING, problem.code());
        assertTrue(problem.getMessage().contains("ZIP_TUNING"), problem.getMessage());
        assertTrue(problem.getMessage().contains("my.tuning line 2: " + found), problem.getMessage());
    }

    @Test
    void shouldSayThatThereIsNoFile() {
        String path = folder.resolve("none").toString();
        ZipException problem = assertThrows(ZipException.class, () -> TuningTable.of(path));
        assertEquals(ErrorCode.BAD_SETTING, problem.code());
        assertTrue(problem.getMessage().contains("ZIP_TUNING is '" + path + "'"), problem.getMessage());
    }

    @Test
    void shouldExplainAChoiceAndItsAlternatives() {
        String line =
                Explanation.of(CollectiveOperation.ALL_REDUCE, 1 << 20, Hosts.one(8), TuningTable.builtIn(), null);
        assertEquals(
                "all-reduce, 8 ranks on 1 host, 1048576 bytes: rabenseifner in segments of 262144 (built-in line "
                        + lineOf(CollectiveOperation.ALL_REDUCE, AlgorithmName.RABENSEIFNER)
                        + "); cost: doubling 3 rounds, 3145728 bytes; ring 14 rounds, 1835008 bytes;"
                        + " rabenseifner 6 rounds, 1835008 bytes; hierarchical 14 rounds, 1835008 bytes;"
                        + " exchange 8 rounds, 1835008 bytes",
                line);
        String chosen = Explanation.of(
                CollectiveOperation.BARRIER, 0, Hosts.one(4), TuningTable.builtIn(), AlgorithmName.DISSEMINATION);
        assertTrue(chosen.contains("dissemination (chosen by the caller); cost: dissemination 2 rounds"), chosen);
    }

    private static String lineOf(CollectiveOperation operation, AlgorithmName name) {
        return new Selector(8, Hosts.Spread.ONE, TuningTable.builtIn())
                .rules(operation).stream()
                        .filter(rule -> rule.algorithm() == name)
                        .findFirst()
                        .orElseThrow()
                        .origin()
                        .replace("built-in line ", "");
    }
}
