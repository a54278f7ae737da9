package io.zipcomm.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.bench.plan.BenchOperation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CsvFileTest {

    @Test
    void shouldWriteTheContractsColumns(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("out.csv");
        try (CsvFile csv = CsvFile.create(file)) {
            csv.write(new Row(
                    BenchOperation.ALLREDUCE, "tcp", "ring", 4, 1 << 20, 100, 1500, 2000.5, 0.25, true, Cost.UNKNOWN));
            csv.write(new Row(
                    BenchOperation.BARRIER,
                    "relay",
                    "dissemination",
                    2,
                    0,
                    10,
                    50,
                    60,
                    Double.NaN,
                    true,
                    Cost.UNKNOWN));
            csv.write(Row.failed(BenchOperation.GATHER, "tcp", "auto", 8, 8));
        }
        assertEquals(
                List.of(
                        "op,transport,algorithm,ranks,bytes,iterations,p50_us,p99_us,busbw_GBps,eta,verified",
                        "allreduce,tcp,ring,4,1048576,100,1500.000,2000.500,1.048576,0.2500,true",
                        "barrier,relay,dissemination,2,0,10,50.000,60.000,,,true",
                        "gather,tcp,auto,8,8,0,,,,,false"),
                Files.readAllLines(file));
    }

    @Test
    void shouldKeepWhatIsWrittenWhenTheRunIsCutShort(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("out.csv");
        try (CsvFile csv = CsvFile.create(file)) {
            csv.write(Row.failed(BenchOperation.GATHER, "tcp", "auto", 8, 8));
            assertEquals(2, Files.readAllLines(file).size());
        }
    }

    @Test
    void shouldComputeBusBandwidth() {
        Row broadcast =
                new Row(BenchOperation.BROADCAST, "tcp", "chain", 4, 2_000_000, 5, 1000, 1000, 1, true, Cost.UNKNOWN);
        assertEquals(2, broadcast.busGBps(), 1e-9);
        Row allGather =
                new Row(BenchOperation.ALLGATHER, "tcp", "ring", 4, 2_000_000, 5, 1000, 1000, 1, true, Cost.UNKNOWN);
        assertEquals(1.5, allGather.busGBps(), 1e-9);
        Row pingPong = new Row(BenchOperation.PINGPONG, "tcp", "-", 2, 1_000_000, 5, 1000, 1000, 1, true, Cost.UNKNOWN);
        assertEquals(2, pingPong.busGBps(), 1e-9);
    }
}
