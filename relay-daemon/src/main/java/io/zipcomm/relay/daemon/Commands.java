package io.zipcomm.relay.daemon;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** How commands say what is wrong: one line, and exit code 2 for a wrong call, 1 for a failure. */
final class Commands {

    private static final int FAILED = 1;
    private static final int WRONG_CALL = 2;
    private static final int HELP_WIDTH = 110;

    private Commands() {}

    static void prepare(CommandLine line, String name, PrintWriter err) {
        line.getCommandSpec()
                .addOption(OptionSpec.builder("-h", "--help")
                        .usageHelp(true)
                        .description("Print this and end.")
                        .build());
        line.setCommandName("zip " + name)
                .setUsageHelpWidth(HELP_WIDTH)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setErr(err)
                .setParameterExceptionHandler((problem, args) -> wrongCall(problem, err))
                .setExecutionExceptionHandler((problem, same, result) -> failed(problem, name, err));
    }

    private static int wrongCall(ParameterException problem, PrintWriter err) {
        String name = problem.getCommandLine().getCommandName();
        err.println(name + ": " + problem.getMessage() + "\nSee --help.");
        return WRONG_CALL;
    }

    private static int failed(Exception problem, String name, PrintWriter err) {
        err.print("zip " + name + ": ");
        if (problem instanceof ZipException failure) {
            err.println(failure.getMessage());
            return failure.code() == ErrorCode.BAD_SETTING ? WRONG_CALL : FAILED;
        }
        problem.printStackTrace(err);
        return FAILED;
    }
}
