package io.zipcomm;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.CombinedProvider;
import io.zipcomm.internal.Joining;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Capabilities;
import io.zipcomm.transport.DirectTransportProvider;
import io.zipcomm.transport.PathProvider;
import io.zipcomm.transport.TransportProvider;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Where a program begins: joins its group.
 *
 * <pre>{@code
 * try (Communicator world = Zip.join()) {
 *     Collectives.of(world).allReduce(gradients, ReduceOp.SUM);
 * }
 * }</pre>
 */
public final class Zip {

    private static final LongSupplier CLOCK = System::nanoTime;

    private Zip() {}

    /**
     * Joins the group that the {@code ZIP_*} environment variables describe; see {@link io.zipcomm.settings.Setting}.
     *
     * @return the world's communicator, to be closed by the caller
     * @throws ZipException as {@link #join(ZipSettings)}; BAD_SETTING also for a variable that is missing or wrong
     */
    public static Communicator join() {
        return join(ZipSettings.fromEnvironment());
    }

    /**
     * Joins a group. Blocks until every rank has joined, or the join timeout passes.
     *
     * @param settings who we are, where the relay is, which group
     * @return the world's communicator, to be closed by the caller
     * @throws ZipException with code RELAY_UNREACHABLE or RELAY_LOST if the relay cannot be reached, or is lost meanwhile; as
     *     it refuses; JOIN_TIMEOUT if the group is not complete in time, with a message that names who is missing;
     *     BAD_SETTING for what settings name and cannot be used, such as files of TLS, an address to listen on, or a
     *     transport; LIMIT if the system gives no sockets; CANCELLED if the thread is interrupted, whose flag stays set
     */
    public static Communicator join(ZipSettings settings) {
        return Joining.join(settings, provider(settings), CLOCK);
    }

    /**
     * Joins a group in the time that the platform leaves, if that is less than the join timeout, and gives a world whose calls take no
     * longer either, as {@link Communicator#withinRemaining} has it.
     *
     * <pre>{@code
     * Duration reserve = Duration.ofSeconds(2);
     * Supplier<Duration> remaining = () -> Duration.ofMillis(lambda.getRemainingTimeInMillis()).minus(reserve);
     * try (Communicator world = Zip.join(settings, remaining)) { ... }
     * }</pre>
     *
     * <p>Some of what is left is kept for the relay's answer: 2 s, or half of it if that is less. If this process is the first of its
     * group to come, the others have no more time to come either, as with a join timeout that is so short.
     *
     * @param settings  who we are, where the relay is, which group
     * @param remaining time until this process is ended, less what it needs to finish; asked on the calling thread, as each call
     *                  begins and meanwhile. It must not call this library
     * @return the world's communicator, to be closed by the caller
     * @throws ZipException as {@link #join(ZipSettings)}; with code DEADLINE, before anything is sent, if nothing is left or nobody can
     *     say what is; JOIN_TIMEOUT if what is left passes before the group is complete
     */
    public static Communicator join(ZipSettings settings, Supplier<Duration> remaining) {
        return Joining.join(settings, remaining, provider(settings), CLOCK);
    }

    private static TransportProvider provider(ZipSettings settings) {
        List<String> reasons = new ArrayList<>();
        List<DirectTransportProvider> direct = new ArrayList<>();
        for (DirectTransportProvider provider : ServiceLoader.load(DirectTransportProvider.class)) {
            if (isUsable(provider, provider.isWanted(settings), reasons)) {
                direct.add(provider);
            }
        }
        TransportProvider network = null;
        for (TransportProvider provider : ServiceLoader.load(TransportProvider.class)) {
            // It has the relay, which every process needs to join, whatever its paths are.
            if (network == null && (isUsable(provider, accepts(settings, provider), reasons) || !direct.isEmpty())) {
                network = provider;
            }
        }
        if (network != null) {
            return direct.isEmpty() ? network : new CombinedProvider(network, direct);
        }
        throw new ZipException(
                ErrorCode.BAD_SETTING,
                reasons.isEmpty()
                        ? "no transport on the class path: add zip-transport-tcp"
                        : "no transport can be used here: " + String.join("; ", reasons));
    }

    private static boolean accepts(ZipSettings settings, PathProvider provider) {
        return settings.transport().accepts(paths(provider));
    }

    private static List<String> paths(PathProvider provider) {
        return provider.capabilities().stream().map(Capabilities::path).toList();
    }

    private static boolean isUsable(PathProvider provider, boolean wanted, List<String> reasons) {
        // What is not wanted is not looked for.
        Optional<String> reason = wanted
                ? provider.unavailabilityReason()
                : Optional.of("not what " + Setting.TRANSPORT.variable() + " asks for");
        reason.ifPresent(why -> reasons.add(paths(provider) + ": " + why));
        return reason.isEmpty();
    }
}
