package io.zipcomm.bench.doctor;

import java.util.regex.Pattern;

/** Says at which step of the way to a relay something went wrong, and what to do. */
final class RelayTrouble {

    /** What the failure to connect says before it comes to the problem. */
    private static final Pattern PREFIX = Pattern.compile("^.* tries: ");

    private RelayTrouble() {}

    /**
     * The finding.
     *
     * @param message of the failure; the transport begins the problem with the step, except when it connects
     */
    static String of(String message) {
        String problem = PREFIX.matcher(message).replaceFirst("");
        return "NOT reachable: "
                + (problem.startsWith("unknown host") ? "name resolution: " : isConnect(problem) ? "connect: " : "")
                + problem + ". " + advice(problem);
    }

    private static boolean isConnect(String problem) {
        return !problem.startsWith("proxy at ")
                && !problem.startsWith("TLS handshake: ")
                && !problem.startsWith("WebSocket handshake: ");
    }

    private static String advice(String problem) {
        if (problem.startsWith("unknown host")) {
            return "Is the name right, and does this network resolve it?";
        }
        if (problem.startsWith("proxy at ")) {
            return "The proxy (ZIP_PROXY, HTTPS_PROXY) has to be there and to allow CONNECT to the relay's host and port";
        }
        if (problem.startsWith("TLS handshake: ")) {
            return "Does the relay speak TLS on this port, with a certificate for this name by an authority of the system"
                    + " or of ZIP_RELAY_CA?";
        }
        if (problem.startsWith("WebSocket handshake: ")) {
            return "Is the path that of the relay's websocket-path?";
        }
        return problem.contains("refused")
                ? "Nothing listens there, or something on the way refuses"
                : "What is sent there is lost: have the port opened, or reach the relay by wss:// on port 443 or through"
                        + " ZIP_PROXY";
    }
}
