package io.zipcomm.bench.worker;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.error.ZipException;

/** One rank of a group that the harness measures: joins, measures what it is told, leaves. */
public final class Worker {

    /** Message of a rank that is in the group. */
    public static final String JOINED = "joined";

    /** Message of a rank that ends because of an error. */
    public static final String FAILED = "failed";

    /** Order to leave the group and end. */
    public static final String END = "end";

    /** Order to write to standard error where its threads are; carried out at once, whatever the worker is doing. */
    public static final String STACKS = HarnessLink.STACKS;

    private Worker() {}

    /**
     * Joins the group of the environment and serves the harness on standard input and output.
     *
     * @param args none
     */
    public static void main(String[] args) throws InterruptedException {
        HarnessLink harness = HarnessLink.open();
        int exitCode = 1;
        try (Communicator world = Zip.join()) {
            harness.tell(Message.of(JOINED).with("rank", world.rank()));
            exitCode = serve(harness, new ZipTeam(world));
        } catch (ZipException e) {
            harness.tell(failure(e));
        }
        System.exit(exitCode);
    }

    /** Returns the exit code. Tells of a failure before the team is left, which may take a while. */
    static int serve(HarnessLink harness, Team team) throws InterruptedException {
        try {
            CaseRunner runner = new CaseRunner(team);
            if (team.rank() == 0) {
                runner.progress().reportTo(harness);
            }
            runner.warmUp();
            for (Message order = harness.next(); !order.kind().equals(END); order = harness.next()) {
                CaseOrder what = CaseOrder.from(order);
                CaseResult result = runner.run(what);
                CaseRunner.releaseMemory(what.bytes());
                harness.tell(result.toMessage());
            }
            return 0;
        } catch (ZipException e) {
            harness.tell(failure(e));
            return 1;
        }
    }

    /** What the harness is told of an error, with the instant at which it was caught. */
    static Message failure(ZipException e) {
        return Message.of(FAILED)
                .with("code", e.code())
                .with("rank", e.rank())
                .with("peer", e.peer())
                .with("atNs", System.nanoTime())
                .with("message", e.getMessage());
    }
}
