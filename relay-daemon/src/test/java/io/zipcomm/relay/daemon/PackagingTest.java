package io.zipcomm.relay.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.relay.RelayOption;
import io.zipcomm.relay.RelaySettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The files under packaging name what exists, and their times fit. */
final class PackagingTest {

    private static final Path FOLDER = Path.of("..", "packaging");

    private static String read(String file) throws IOException {
        return Files.readString(FOLDER.resolve(file));
    }

    private static long number(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern, Pattern.MULTILINE).matcher(text);
        assertTrue(matcher.find(), pattern);
        return Long.parseLong(matcher.group(1));
    }

    @Test
    void shouldGiveOptionsThatExist() throws IOException {
        CommandLine command = new CommandLine(new RelayCommand());
        List<String> given = new ArrayList<>();
        try (Stream<Path> files = Files.walk(FOLDER)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Matcher options = Pattern.compile("(?m)^[^#\\n]*?zip-relay\\.jar(.*)$|^CMD (.*)$|^ +args: (.*)$")
                        .matcher(Files.readString(file));
                while (options.find()) {
                    Matcher names = Pattern.compile("--[a-z-]+").matcher(options.group());
                    while (names.find()) {
                        given.add(names.group());
                        assertNotNull(command.getCommandSpec().findOption(names.group()), file + ": " + names.group());
                    }
                }
            }
        }
        assertTrue(given.containsAll(List.of("--config", "--log-format", "--keys")), given.toString());
    }

    @Test
    void shouldHaveConfigurationThatIsRight(@TempDir Path folder) throws IOException {
        String manifest = read("kubernetes/zip-relay.yaml");
        Matcher embedded =
                Pattern.compile("relay\\.conf: \\|\\n((?: {4}.*\\n)+)").matcher(manifest);
        assertTrue(embedded.find());
        for (String text : List.of(read("relay.conf"), embedded.group(1).indent(-4))) {
            Path file = Files.writeString(folder.resolve("relay.conf"), text);
            Properties lines = new Properties();
            try (var reader = Files.newBufferedReader(file)) {
                lines.load(reader);
            }
            assertTrue(lines.size() >= 4, text);
            for (String name : lines.stringPropertyNames()) {
                assertNotNull(RelayOption.of(name), name);
            }
            Path keys = Files.createDirectories(folder.resolve("keys"));
            Files.writeString(keys.resolve("a.key"), "a".repeat(32));
            RelaySettings settings = RelaySettings.builder()
                    .file(file)
                    .set(RelayOption.KEYS, keys.toString())
                    .build();
            assertTrue(settings.tokenExpiryRequired());
            assertEquals(7077, settings.listen().getPort());
            assertEquals(7078, settings.admin().orElseThrow().getPort());
        }
    }

    /** Who stops the relay waits for longer than it drains. */
    @Test
    void shouldWaitForTheDrain() throws IOException {
        String unit = read("systemd/zip-relay.service");
        String manifest = read("kubernetes/zip-relay.yaml");
        long configuredS = number(read("relay.conf"), "^drain-timeout = (\\d+)$") / 1000;
        assertEquals(configuredS, number(manifest, "^ +drain-timeout = (\\d+)$") / 1000);
        assertEquals(configuredS, Long.parseLong(RelayOption.DRAIN_TIMEOUT.defaultText()) / 1000);
        assertTrue(number(unit, "^TimeoutStopSec=(\\d+)$") > configuredS);
        assertTrue(number(manifest, "terminationGracePeriodSeconds: (\\d+)$") > configuredS);
    }

    @Test
    void shouldUseSignalsAndPathsThatTheDaemonKnows() throws IOException {
        assertTrue(read("systemd/zip-relay.service").contains("\nExecReload=/bin/kill -HUP $MAINPID\n"));
        assertTrue(read("systemd/zip-relay.service").contains("\nKillSignal=SIGTERM\n"));
        assertTrue(read("container/Containerfile").contains("\nSTOPSIGNAL SIGTERM"));
        String manifest = read("kubernetes/zip-relay.yaml");
        assertTrue(manifest.contains("livenessProbe:\n            httpGet: { path: /health, port: admin }"));
        assertTrue(manifest.contains("readinessProbe:\n            httpGet: { path: /ready, port: admin }"));
        assertTrue(manifest.contains("prometheus.io/path: /metrics"));
    }

    /** Two relays behind one address would each get some ranks of a session. */
    @Test
    void shouldGiveEachRelayAnAddressOfItsOwn() throws IOException {
        String manifest = read("kubernetes/zip-relay.yaml");
        assertFalse(manifest.contains("kind: Deployment"), "a Deployment may have two pods at a time under one name");
        assertTrue(manifest.contains("\nkind: StatefulSet\n"));
        List<String> pods = new ArrayList<>();
        for (String document :
                Pattern.compile("\n---\n").splitAsStream(manifest).toList()) {
            if (document.contains("kind: Service\n") && !document.contains("clusterIP: None")) {
                Matcher pod = Pattern.compile("\n  selector:\n    statefulset\\.kubernetes\\.io/pod-name: (\\S+)\n")
                        .matcher(document);
                assertTrue(pod.find(), document);
                pods.add(pod.group(1));
                // Ranks of sessions that gather still come while it drains.
                assertTrue(document.contains("\n  publishNotReadyAddresses: true\n"), document);
            }
        }
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < number(manifest, "^  replicas: (\\d+)$"); i++) {
            expected.add("zip-relay-" + i);
        }
        assertEquals(expected, pods);
    }

    /** A file that is mounted alone stays as it was when the pod began. */
    @Test
    void shouldMountFoldersWhoseChangesAreSeen() throws IOException {
        String manifest = read("kubernetes/zip-relay.yaml");
        assertFalse(manifest.contains("subPath:"));
        List<String> mounted = new ArrayList<>();
        Matcher mounts = Pattern.compile("mountPath: ([^,} ]+)").matcher(manifest);
        while (mounts.find()) {
            mounted.add(mounts.group(1));
        }
        for (String used : List.of("\"--config\", \"([^\"]+)/relay\\.conf\"", "(?m)^ +keys = (\\S+)$")) {
            Matcher path = Pattern.compile(used).matcher(manifest);
            assertTrue(path.find(), used);
            assertTrue(mounted.contains(path.group(1)), path.group(1));
        }
        // One within the other cannot be made where the outer one is read-only.
        for (String one : mounted) {
            assertTrue(mounted.stream().noneMatch(other -> other.startsWith(one + "/")), one);
        }
    }
}
