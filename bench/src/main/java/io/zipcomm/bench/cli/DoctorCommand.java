package io.zipcomm.bench.cli;

import io.zipcomm.bench.doctor.Doctor;
import io.zipcomm.settings.Setting;
import io.zipcomm.transport.RelayAddress;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code zip doctor}. */
@Command(
        description = {
            "Says which transports can be used here and why others cannot, how this machine waits for I/O, and whether a"
                    + " relay can be reached.",
            "A token in ZIP_TOKEN is tried at the relay. Exit code 1 if something is wrong."
        })
final class DoctorCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Option(names = "--relay", paramLabel = "URL", description = "Relay to look at, as zip://host:port or host:port.")
    private String relay;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        Doctor doctor = new Doctor((topic, text) -> out.printf("%-20s %s%n", topic, text));
        String token = System.getenv().getOrDefault(Setting.TOKEN.variable(), "");
        return doctor.examine(relay == null ? null : RelayAddress.parse(relay), token) ? 0 : ZipCli.FAILED;
    }
}
