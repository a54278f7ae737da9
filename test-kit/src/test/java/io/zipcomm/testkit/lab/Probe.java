package io.zipcomm.testkit.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** A {@link LabProbe} in a host, from the side of a test. It ends with the lab. */
final class Probe {

    private static final long LIMIT_S = 30;

    private final LabHost host;
    private final Writer commands;
    private final Map<Integer, CompletableFuture<String>> waiting = new ConcurrentHashMap<>();
    private int numbers;

    private Probe(LabHost host, Process process) {
        this.host = host;
        commands = process.outputWriter(StandardCharsets.US_ASCII);
        Thread reader = new Thread(() -> read(process), "probe-" + host.name());
        reader.setDaemon(true);
        reader.start();
    }

    static Probe start(LabHost host) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx32m",
                "-Xshare:auto"));
        command.addAll(List.of("-cp", classPath(), LabProbe.class.getName()));
        try {
            return new Probe(host, host.start(command, Map.of()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String classPath() {
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }

    LabHost host() {
        return host;
    }

    /** Gives a command. */
    CompletableFuture<String> asked(Object... words) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        synchronized (this) {
            numbers++;
            waiting.put(numbers, answer);
            StringBuilder line = new StringBuilder().append(numbers);
            for (Object word : words) {
                line.append(' ').append(word);
            }
            try {
                commands.write(line.append('\n').toString());
                commands.flush();
            } catch (IOException e) {
                answer.completeExceptionally(e);
            }
        }
        return answer.orTimeout(LIMIT_S, TimeUnit.SECONDS);
    }

    /** Gives a command and waits. */
    String ask(Object... words) {
        return asked(words).join();
    }

    static String at(InetAddress address, int port) {
        return address.getHostAddress() + "," + port;
    }

    private void read(Process process) {
        try (BufferedReader lines = process.inputReader(StandardCharsets.US_ASCII)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                int space = line.indexOf(' ');
                waiting.remove(Integer.parseInt(line.substring(0, space))).complete(line.substring(space + 1));
            }
        } catch (IOException e) {
            // The lab has ended under the reader.
        }
        waiting.values().forEach(answer -> answer.completeExceptionally(new IOException(host + " has ended")));
    }
}
