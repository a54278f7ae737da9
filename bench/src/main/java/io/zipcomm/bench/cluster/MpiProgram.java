package io.zipcomm.bench.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The program in C that measures MPI: a resource of this module, compiled by this machine's {@code mpicc} when it is first
 * needed, into a folder that is deleted with it.
 */
final class MpiProgram implements AutoCloseable {

    private static final String COMPILER = "mpicc";
    private static final String STARTER = "mpirun";
    private static final String SOURCE = "zip_bench.c";
    private static final Duration COMPILE_LIMIT = Duration.ofSeconds(60);

    private static final Duration VERSION_LIMIT = Duration.ofSeconds(10);

    private Path folder;

    /** Why it cannot be run here, as a phrase; null if it can. */
    static String unavailability() {
        return Program.missing(COMPILER, STARTER);
    }

    /** What the starter says of its version; {@code unknown} if it says nothing. */
    static String version() throws InterruptedException {
        try {
            Process starter = new ProcessBuilder(STARTER, "--version")
                    .redirectErrorStream(true)
                    .start();
            try {
                starter.getOutputStream().close();
                if (!starter.waitFor(VERSION_LIMIT.toNanos(), TimeUnit.NANOSECONDS)) {
                    return "unknown";
                }
                String said = new String(starter.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                String first = said.lines().findFirst().orElse("unknown");
                return first.substring(first.lastIndexOf(' ') + 1);
            } finally {
                starter.destroyForcibly();
            }
        } catch (IOException e) {
            return "unknown";
        }
    }

    /** The folder with the program; MPI may keep its own files there. */
    Path folder() {
        return folder;
    }

    /**
     * The compiled program.
     *
     * @throws WorkerFailure with what the compiler said
     */
    Path executable() throws WorkerFailure, InterruptedException {
        if (folder == null) {
            String reason = unavailability();
            if (reason != null) {
                throw new WorkerFailure(reason);
            }
            try {
                folder = Files.createTempDirectory("zip-mpi-");
                folder.toFile().deleteOnExit();
                compile();
            } catch (IOException e) {
                close();
                throw new WorkerFailure("the MPI program cannot be compiled: " + e.getMessage());
            } catch (WorkerFailure | InterruptedException e) {
                close();
                throw e;
            }
        }
        return folder.resolve("zip_bench");
    }

    private void compile() throws IOException, WorkerFailure, InterruptedException {
        Path source = folder.resolve(SOURCE);
        try (InputStream in = MpiProgram.class.getResourceAsStream("/io/zipcomm/bench/mpi/" + SOURCE)) {
            Files.copy(in, source);
        }
        Path log = folder.resolve("mpicc.log");
        Path program = folder.resolve("zip_bench");
        Process compiler = new ProcessBuilder(List.of(COMPILER, "-O2", "-o", program.toString(), source.toString()))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        if (!compiler.waitFor(COMPILE_LIMIT.toNanos(), TimeUnit.NANOSECONDS)) {
            compiler.destroyForcibly();
            throw new WorkerFailure(COMPILER + " was not done within " + COMPILE_LIMIT.toSeconds() + " s");
        }
        if (compiler.exitValue() != 0) {
            throw new WorkerFailure(COMPILER + " failed with exit code " + compiler.exitValue() + ":\n"
                    + Files.readString(log, StandardCharsets.UTF_8).strip());
        }
    }

    @Override
    public void close() {
        if (folder == null) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            // Some files stay in the folder for temporary files; nothing depends on it.
        }
        folder = null;
    }
}
