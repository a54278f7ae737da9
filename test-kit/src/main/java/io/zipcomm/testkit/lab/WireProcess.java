package io.zipcomm.testkit.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The program that holds the namespaces of a lab and carries packets between them: {@code wire.c}, compiled once in each
 * virtual machine. Its commands are described there.
 *
 * <p>Thread: any; one command at a time.
 */
final class WireProcess implements AutoCloseable {

    /** Longest wait for an answer, for the compiler, and for the end. */
    private static final long LIMIT_S = 30;

    private static final String SOURCE = "wire.c";
    private static final String END = "the program has ended";

    /** Guarded by the class. */
    private static byte[] program;

    private final Process process;
    private final Writer commands;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

    private WireProcess(Process process) {
        this.process = process;
        commands = process.outputWriter(StandardCharsets.US_ASCII);
        Thread reader = new Thread(this::read, "zip-lab-wire");
        reader.setDaemon(true);
        reader.start();
    }

    /** Starts the program. The file that it came from is gone when this returns. */
    static WireProcess start() throws IOException {
        Path file = Files.createTempFile("zip-lab-wire", "");
        try {
            Files.write(file, program());
            if (!file.toFile().setExecutable(true)) {
                throw new IOException(file + " cannot be made executable");
            }
            WireProcess started = new WireProcess(new ProcessBuilder(file.toString())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start());
            return started;
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static synchronized byte[] program() throws IOException {
        if (program == null) {
            program = compile();
        }
        return program;
    }

    private static byte[] compile() throws IOException {
        Path folder = Files.createTempDirectory("zip-lab");
        Path source = folder.resolve(SOURCE);
        Path result = folder.resolve("wire");
        Path log = folder.resolve("log");
        try {
            try (InputStream text = WireProcess.class.getResourceAsStream(SOURCE)) {
                Files.copy(text, source, StandardCopyOption.REPLACE_EXISTING);
            }
            Process compiler = new ProcessBuilder("gcc", "-O2", "-o", result.toString(), source.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            await(compiler, "gcc");
            if (compiler.exitValue() != 0) {
                throw new IOException("gcc: " + Files.readString(log).strip());
            }
            return Files.readAllBytes(result);
        } finally {
            for (Path path : List.of(source, result, log, folder)) {
                Files.deleteIfExists(path);
            }
        }
    }

    /** Waits for a process to end, and ends it if it does not. */
    static void await(Process process, String what) throws IOException {
        try {
            if (process.waitFor(LIMIT_S, TimeUnit.SECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        process.destroyForcibly();
        throw new IOException(what + " did not end within " + LIMIT_S + " s");
    }

    long pid() {
        return process.pid();
    }

    /**
     * Gives a command.
     *
     * @return what came behind {@code ok}
     * @throws IllegalStateException if the answer is an error, or none comes in time
     */
    synchronized String ask(String command) {
        String answer;
        try {
            commands.write(command + "\n");
            commands.flush();
            answer = answers.poll(LIMIT_S, TimeUnit.SECONDS);
        } catch (IOException e) {
            throw new UncheckedIOException("lab: " + command, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted during lab command: " + command, e);
        }
        if (answer == null) {
            throw new IllegalStateException("lab: no answer within " + LIMIT_S + " s to: " + command);
        }
        if (!answer.startsWith("ok")) {
            throw new IllegalStateException("lab: " + command + ": " + answer);
        }
        return answer.substring("ok".length()).strip();
    }

    /** {@link #ask}, for a command that is answered by numbers. */
    long[] askNumbers(String command) {
        return List.of(ask(command).split(" ")).stream()
                .mapToLong(Long::parseLong)
                .toArray();
    }

    private void read() {
        try (BufferedReader lines = process.inputReader(StandardCharsets.US_ASCII)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                answers.add(line);
            }
            answers.add(END);
        } catch (IOException e) {
            answers.add(END + ": " + e.getMessage());
        }
    }

    /** Ends the processes in the namespaces, then the program, and with it the namespaces. */
    @Override
    public void close() {
        try {
            process.getOutputStream().close();
            await(process, "the lab's wire program");
        } catch (IOException e) {
            process.destroyForcibly();
            throw new UncheckedIOException(e);
        }
    }
}
