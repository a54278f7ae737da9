package io.zipcomm.bench;

import io.zipcomm.bench.cli.ZipCli;

/** Where {@code ./zip} enters. */
public final class Main {
    private Main() {}

    /**
     * Runs one command and ends the process with its exit code.
     *
     * @param args the command and its options
     */
    public static void main(String[] args) {
        int exitCode = new ZipCli(System.out, System.err).run(args);
        System.out.flush();
        System.exit(exitCode);
    }
}
