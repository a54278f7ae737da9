package io.zipcomm.bench.report.html;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HtmlReportTest {

    @Test
    void shouldBeOfModestSize(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("report.html");
        SampleRun.large().write(file);
        if (System.getProperty("keep") != null) {
            Files.copy(file, Path.of(System.getProperty("keep")), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        }
        assertTrue(Files.size(file) < 1_500_000, Files.size(file) + " bytes");
    }
}
