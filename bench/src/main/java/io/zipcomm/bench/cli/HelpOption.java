package io.zipcomm.bench.cli;

import picocli.CommandLine.Option;

/** What every command has. */
final class HelpOption {

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this and end.")
    private boolean help;
}
