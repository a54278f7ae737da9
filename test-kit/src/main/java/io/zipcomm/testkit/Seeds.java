package io.zipcomm.testkit;

import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.TestAbortedException;

/**
 * Where a test gets its chance from. Seeds are random unless the system property {@value #PROPERTY} names one; a test that
 * fails prints the seed it failed with, and running that test alone with the property set replays it.
 *
 * <pre>{@code
 * @RegisterExtension
 * final Seeds seeds = new Seeds();
 *
 * @Test
 * void shouldSurviveAnything() {
 *     seeds.each(200, seed -> { ... });
 * }
 * }</pre>
 */
public final class Seeds implements BeforeEachCallback, AfterTestExecutionCallback {

    /** System property with the seed to replay. */
    public static final String PROPERTY = "zip.seed";

    /** System property with the factor by which {@link #each} runs more seeds than the test asks for: a soak. */
    public static final String FACTOR_PROPERTY = "zip.seed.factor";

    private static final long SPREAD = 0x9e3779b97f4a7c15L;

    private long current;

    /** Seeds for the tests of one class. */
    public Seeds() {}

    /** One run of a test with a seed. */
    @FunctionalInterface
    public interface Run {

        /**
         * Runs.
         *
         * @param seed decides everything that is left to chance
         * @throws Exception to fail
         */
        void with(long seed) throws Exception;
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        current = first();
    }

    @Override
    public void afterTestExecution(ExtensionContext context) {
        Throwable failure = context.getExecutionException().orElse(null);
        if (failure != null && !(failure instanceof TestAbortedException)) {
            System.err.println(
                    context.getDisplayName() + " failed with seed " + current + "; to replay it: " + replay(current));
        }
    }

    /** The seed of the running test. */
    public long seed() {
        return current;
    }

    /** New chance from the seed of the running test. */
    public RandomGenerator random() {
        return random(current);
    }

    /**
     * Runs something with many seeds, or with one if it was given. {@value #FACTOR_PROPERTY} multiplies them.
     *
     * @param count how often
     * @param run   what
     */
    public void each(int count, Run run) {
        int runs = System.getProperty(PROPERTY) == null ? count * Integer.getInteger(FACTOR_PROPERTY, 1) : 1;
        long seed = first();
        for (int i = 0; i < runs; i++) {
            current = seed;
            try {
                run.with(seed);
            } catch (TestAbortedException e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError(
                        "with seed " + seed + ", run " + i + " of " + runs + ": " + e.getMessage() + " (to replay it: "
                                + replay(seed) + ")",
                        e);
            }
            seed = seed * SPREAD + 1;
        }
    }

    /**
     * Chance that depends on a seed only.
     *
     * @param seed any number; near ones give unrelated chance
     */
    public static RandomGenerator random(long seed) {
        return new java.util.SplittableRandom(seed);
    }

    private static String replay(long seed) {
        return "-D" + PROPERTY + "=" + seed;
    }

    private static long first() {
        Long given = Long.getLong(PROPERTY);
        return given != null ? given : ThreadLocalRandom.current().nextLong(1_000_000_000_000L);
    }
}
