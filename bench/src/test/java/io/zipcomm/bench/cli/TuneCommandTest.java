package io.zipcomm.bench.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.collectives.select.TuningTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real processes, for a short time: not what wins, but that it is measured and can be used. */
@Tag("once")
final class TuneCommandTest {

    @Test
    void shouldMeasureAndWriteATableThatTheLibraryReads(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("my.tuning");
        CapturedCli.Result result = CapturedCli.run(
                "tune",
                "--ranks",
                "3",
                "--bytes",
                "64,512KiB",
                "--ops",
                "broadcast,alltoall,barrier",
                "--time",
                "4s",
                "--out",
                file.toString());
        assertEquals(0, result.exitCode(), result.err());
        assertTrue(result.out().contains("broadcast      3 ranks       72  binomial"), result.out());
        assertTrue(result.out().contains(" bruck "), result.out());
        assertTrue(result.out().contains(" of 4 cases are faster"), result.out());
        assertTrue(result.out().contains("ZIP_TUNING=" + file), result.out());
        assertTrue(Files.readString(file).startsWith("# Made by zip tune --transport tcp"));
        TuningTable.of(file.toString());
    }

    @Test
    void shouldRefuseToTuneWhatGivesNoChoice() {
        assertEquals(2, CapturedCli.run("tune", "--ops", "barrier").exitCode());
        assertEquals(2, CapturedCli.run("tune", "--ranks", "1").exitCode());
        assertEquals(2, CapturedCli.run("tune", "--time", "soon").exitCode());
    }
}
