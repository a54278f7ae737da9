package io.zipcomm.bench.cli;

import io.zipcomm.bench.doctor.Doctor;
import io.zipcomm.bench.doctor.Examination;
import io.zipcomm.bench.doctor.Finding;
import io.zipcomm.bench.doctor.FindingsJson;
import io.zipcomm.relay.daemon.Durations;
import io.zipcomm.settings.Setting;
import io.zipcomm.transport.RelayAddress;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code zip doctor}. */
@Command(
        description = {
            "Says which transports can be used here and why others cannot, how this machine waits for I/O, whether relays can"
                    + " be reached, what a NAT does on the way to them, and what each rung of the ladder to a direct"
                    + " connection would do. With --peer two machines climb it.",
            "The way to relays is as ZIP_* variables say: token, proxy, authorities. Exit code 1 if something is wrong."
        })
final class DoctorCommand implements Callable<Integer> {

    private static final int COLUMN = 22;

    /** For what the ladder would do. */
    private static final int WIDE_COLUMN = 40;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--relay",
            paramLabel = "URLS",
            description =
                    "Relays to look at, with commas between them, as in ZIP_RELAY, which is the default. Two addresses"
                            + " show more of a NAT than one.")
    private String relay;

    @Option(
            names = "--session",
            paramLabel = "NAME",
            description =
                    "Session to ask for at the relays, one that the token admits to and nobody uses. Default: a random"
                            + " name that begins with doctor, or with that of --peer.")
    private String session = "";

    @Option(
            names = "--idle",
            paramLabel = "TIME",
            converter = Durations.class,
            description = "Leave a connection silent for so long, such as 60s, and see whether it is forgotten.")
    private Duration idle = Duration.ZERO;

    @Option(
            names = "--peer",
            paramLabel = "NAME",
            description =
                    "Meet the doctor of another machine that has the same relays and NAME, and climb the ladder, rung by"
                            + " rung. NAME is that of the session, for the token.")
    private String peer = "";

    @Option(
            names = "--wait",
            paramLabel = "TIME",
            converter = Durations.class,
            description = "How long to wait for that one. Default: 1m.")
    private Duration wait = Examination.WAIT;

    @Option(
            names = "--rung-time",
            paramLabel = "TIME",
            converter = Durations.class,
            description = "How long each rung may take. Default: 7s.")
    private Duration rung = Examination.RUNG;

    @Option(names = "--json", description = "Print findings as JSON when all is done.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        List<Finding> findings = new ArrayList<>();
        Doctor doctor = new Doctor(finding -> {
            findings.add(finding);
            if (!json) {
                int width = finding.topic().length() > COLUMN ? WIDE_COLUMN : COLUMN;
                out.printf("%-" + width + "s %s%n", finding.topic(), finding.text());
            }
        });
        boolean healthy = doctor.examine(examination());
        if (json) {
            out.println(FindingsJson.of(findings));
        }
        return healthy ? 0 : ZipCli.FAILED;
    }

    private Examination examination() {
        List<RelayAddress> relays = relays();
        if (relays.isEmpty()) {
            refuse(!peer.isEmpty(), "--peer");
            refuse(!idle.isZero(), "--idle");
            refuse(!session.isEmpty(), "--session");
        }
        return new Examination(relays, environment(Setting.TOKEN), session, idle, peer, wait, rung);
    }

    private void refuse(boolean given, String option) {
        if (given) {
            throw new ParameterException(
                    spec.commandLine(), option + " needs a relay, by --relay or " + Setting.RELAY.variable());
        }
    }

    private List<RelayAddress> relays() {
        String text = relay == null ? environment(Setting.RELAY) : relay;
        return relay == null && text.isEmpty() ? List.of() : RelayAddress.parseAll(text);
    }

    private static String environment(Setting setting) {
        String property = System.getProperty(setting.property());
        String value = property == null ? System.getenv(setting.variable()) : property;
        return value == null ? "" : value.trim();
    }
}
