package io.zipcomm.bench.worker;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.Setting;
import java.util.List;
import java.util.Map;

/**
 * One rank of a group that meets in Redis. In place of the relay, the environment names the server, in place
 * of the transport the style. */
public final class RedisWorker {

    private RedisWorker() {}

    /** The ways there are to do an operation; what {@link CaseOrder#algorithm} may name. */
    public static List<String> algorithms(BenchOperation operation) {
        return RedisOperations.algorithms(operation);
    }

    /** What the keys of a session begin with. */
    public static String keyPrefix(String session) {
        return RedisTeam.keyPrefix(session);
    }

    /**
     * Connects to the server of the environment and serves the harness on standard input and output.
     *
     * @param args none
     */
    public static void main(String[] args) throws InterruptedException {
        HarnessLink harness = HarnessLink.open();
        Map<String, String> environment = System.getenv();
        int exitCode = 1;
        try (RedisTeam team = new RedisTeam(
                environment.get(Setting.RELAY.variable()),
                RedisStyle.of(environment.get(Setting.TRANSPORT.variable())),
                environment.get(Setting.SESSION.variable()),
                Integer.parseInt(environment.get(Setting.RANK.variable())),
                Integer.parseInt(environment.get(Setting.SIZE.variable())))) {
            harness.tell(Message.of(Worker.JOINED).with("rank", team.rank()));
            exitCode = Worker.serve(harness, team);
        } catch (ZipException e) {
            harness.tell(Worker.failure(e));
        }
        System.exit(exitCode);
    }
}
