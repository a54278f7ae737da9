package io.zipcomm.relay.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The daemon in a process of its own, which the end of the test ends. */
final class DaemonProcess implements AutoCloseable {

    private static final Pattern ADDRESS = Pattern.compile("zip relay: (listening|admin) on ([^ ,]+):(\\d+).*");

    /** A process inherits which signals are ignored, and this test may run in the background. */
    private static final List<String> HEAR_SIGNALS = List.of("env", "--default-signal=HUP,INT,TERM");

    final Process process;
    final Path log;
    private final BufferedReader lines;
    String first;
    InetSocketAddress relay;
    InetSocketAddress admin;

    private DaemonProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
        lines = process.inputReader();
    }

    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /** The daemon's own backend, without that of tests. */
    static String classPath() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .filter(entry -> !entry.contains("slf4j-simple"))
                .collect(Collectors.joining(File.pathSeparator));
    }

    /** From the classes of this build, or from the jar if that is given. */
    static DaemonProcess start(Path folder, Path jar, String... options) throws IOException {
        List<String> command = new ArrayList<>(HEAR_SIGNALS);
        command.add(java());
        if (jar != null) {
            command.addAll(List.of("-jar", jar.toString()));
        } else {
            command.addAll(List.of(
                    // The jar's manifest says the first; a JVM that is too old for one skips it.
                    "-XX:+IgnoreUnrecognizedVMOptions",
                    "--enable-native-access=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=allow",
                    "-cp",
                    classPath(),
                    Main.class.getName()));
        }
        command.addAll(List.of("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"));
        command.addAll(List.of(options));
        Path log = Files.createTempFile(folder, "relay", ".log");
        DaemonProcess started = new DaemonProcess(
                new ProcessBuilder(command).redirectError(log.toFile()).start(), log);
        try {
            started.first = started.line();
            started.relay = started.address(started.first);
            started.admin = started.address(started.line());
        } catch (RuntimeException | Error e) {
            started.close();
            throw e;
        }
        return started;
    }

    private InetSocketAddress address(String line) {
        Matcher matcher = ADDRESS.matcher(String.valueOf(line));
        assertTrue(matcher.matches(), () -> line + "\n" + log());
        return new InetSocketAddress(matcher.group(2), Integer.parseInt(matcher.group(3)));
    }

    /** The next line of its standard output; null if it ended. */
    String line() {
        CompletableFuture<String> line = CompletableFuture.supplyAsync(() -> {
            try {
                return lines.readLine();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        try {
            return line.get(30, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            // Ends the read, too.
            process.destroyForcibly();
            throw new AssertionError("no line from it; its log:\n" + log(), e);
        }
    }

    String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void signal(String name) throws Exception {
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
        assertTrue(kill.waitFor(10, TimeUnit.SECONDS));
        assertEquals(0, kill.exitValue());
    }

    HttpResponse<String> ask(String method, String path) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder()
                                .uri(URI.create("http://127.0.0.1:" + admin.getPort() + path))
                                .timeout(Duration.ofSeconds(10))
                                .method(method, HttpRequest.BodyPublishers.noBody())
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }

    void awaitStatus(int status, String path) throws Exception {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        int last;
        do {
            assertTrue(System.nanoTime() < deadlineNs, "no " + status + " from " + path);
            last = ask("GET", path).statusCode();
        } while (last != status);
    }

    void awaitLog(String text) throws Exception {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!log().contains(text)) {
            assertTrue(System.nanoTime() < deadlineNs, () -> "no '" + text + "' in\n" + log());
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    int awaitExit() throws InterruptedException {
        assertTrue(process.waitFor(30, TimeUnit.SECONDS), () -> "it runs on:\n" + log());
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
