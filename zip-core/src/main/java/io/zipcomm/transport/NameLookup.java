package io.zipcomm.transport;

import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/**
 * Asks the system for the addresses of a name, for a limited time: the system's own patience with a name server that does not
 * answer is tens of seconds, and cannot be interrupted.
 */
public final class NameLookup {

    private static final String OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private static final Pattern IPV4 = Pattern.compile(OCTET + "(\\." + OCTET + "){3}");

    private NameLookup() {}

    /** Knows the addresses of a name; takes the time it takes. */
    interface Resolver {
        InetAddress[] addressesOf(String host) throws UnknownHostException;
    }

    /**
     * Blocks until there is an answer, the time is over, or the thread is interrupted. What the system is still busy with
     * then goes on in the background.
     *
     * @param host   a name, or an address, which is not asked for and needs no time
     * @param leftNs how long to wait at most
     * @throws UnknownHostException   if there is no such name; its message is the name
     * @throws SocketTimeoutException if there is no answer in time
     * @throws InterruptedException   if the thread is interrupted, also if it was before
     */
    public static InetAddress[] of(String host, long leftNs)
            throws UnknownHostException, SocketTimeoutException, InterruptedException {
        return of(host, leftNs, InetAddress::getAllByName);
    }

    /** As above, with another resolver than the system's. */
    static InetAddress[] of(String host, long leftNs, Resolver resolver)
            throws UnknownHostException, SocketTimeoutException, InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("before the lookup of " + host);
        }
        if (isAddress(host)) {
            try {
                return InetAddress.getAllByName(host);
            } catch (UnknownHostException e) {
                throw unknown(host, e);
            }
        }
        CompletableFuture<InetAddress[]> answer = new CompletableFuture<>();
        Thread thread = new Thread(() -> ask(resolver, host, answer), "zip-lookup-" + host);
        thread.setDaemon(true);
        thread.start();
        try {
            return answer.get(Math.max(0, leftNs), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw unknown(host, e.getCause());
        } catch (TimeoutException e) {
            SocketTimeoutException late =
                    new SocketTimeoutException("the system's resolver does not answer for " + host);
            late.initCause(e);
            throw late;
        }
    }

    /** What begins like an IPv6 address and has a colon is one, or nothing: the system is not asked for it. */
    private static boolean isAddress(String host) {
        boolean likeIpv6 =
                host.indexOf(':') == 0 || (host.indexOf(':') > 0 && Character.digit(host.charAt(0), 16) >= 0);
        return likeIpv6 || IPV4.matcher(host).matches();
    }

    private static UnknownHostException unknown(String host, Throwable cause) {
        UnknownHostException unknown = new UnknownHostException(host);
        unknown.initCause(cause);
        return unknown;
    }

    private static void ask(Resolver resolver, String host, CompletableFuture<InetAddress[]> answer) {
        try {
            answer.complete(resolver.addressesOf(host));
        } catch (UnknownHostException | RuntimeException e) {
            answer.completeExceptionally(e);
        }
    }
}
