package io.zipcomm.transport.rdma;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.zipcomm.testkit.TransportContract;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs tests over verbs where there is no Maven: those of the contract, and of others those that run over every provider. A line for each
 * test, and an exit code.
 */
public final class GuestTests implements TestExecutionListener {

    /** What the contract has for others: nobody asks a path of RDMA what is missing, and its address is no socket's. */
    private static final Set<String> NOT_FOR_RDMA =
            Set.of("shouldSayHowMuchOfAFrameIsMissingWhenThePathBroke()", "shouldSurviveStrangersOnItsAddresses()");

    private final Map<String, Long> beganNs = new ConcurrentHashMap<>();
    private final List<String> problems = new ArrayList<>();
    private int passed;

    private GuestTests() {}

    /**
     * Runs tests, and ends the process: 0 if all passed that are for RDMA.
     *
     * @param classes of this package, by their simple names
     */
    public static void main(String... classes) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(Stream.of(classes)
                        .map(name -> selectClass(GuestTests.class.getPackageName() + "." + name))
                        .toList())
                .filters((PostDiscoveryFilter) GuestTests::isOverVerbs)
                .configurationParameter("junit.jupiter.execution.timeout.testable.method.default", "180 s")
                .configurationParameter("junit.jupiter.extensions.autodetection.enabled", "true")
                .build();
        GuestTests tests = new GuestTests();
        LauncherFactory.create().execute(request, tests);
        say(tests.passed + " tests passed, " + tests.problems.size() + " did not " + tests.problems);
        System.exit(tests.passed > 0 && tests.problems.isEmpty() ? 0 : 1);
    }

    private static FilterResult isOverVerbs(TestDescriptor test) {
        boolean isOverAnother = test.getSource().orElse(null) instanceof MethodSource method
                && method.getJavaClass() != TransportContract.class
                && !VerbsContractTest.class.isAssignableFrom(method.getJavaClass())
                && !AnnotationSupport.isAnnotated(
                        method.getJavaMethod(), org.junit.jupiter.params.provider.MethodSource.class);
        return FilterResult.includedIf(!isOverAnother);
    }

    private static void say(String line) {
        System.out.println(line);
    }

    @Override
    public void executionStarted(TestIdentifier test) {
        beganNs.put(test.getUniqueId(), System.nanoTime());
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        problems.add(test.getDisplayName());
        say("skipped " + test.getDisplayName() + ": " + reason);
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        Duration took = Duration.ofNanos(System.nanoTime() - beganNs.get(test.getUniqueId()));
        TestExecutionResult.Status status = result.getStatus();
        String name = test.getDisplayName();
        if (test.isTest()) {
            say(String.format("%-10s %6d ms  %s", status, took.toMillis(), name));
        }
        boolean isExpected = status == TestExecutionResult.Status.ABORTED && NOT_FOR_RDMA.contains(name);
        if (status != TestExecutionResult.Status.SUCCESSFUL && !isExpected) {
            problems.add(name);
            result.getThrowable().ifPresent(problem -> problem.printStackTrace(System.out));
        } else if (test.isTest() && !isExpected) {
            passed++;
        }
    }
}
