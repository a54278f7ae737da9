package io.zipcomm.bench.cluster;

import io.zipcomm.settings.Setting;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The variables that tell a process its group and its place in it.
 *
 * @param relay     where the relay listens
 * @param session   name of the session
 * @param size      number of ranks
 * @param transport which paths to use
 * @param token     admits every rank of the session
 * @param more      further settings
 */
public record GroupEnvironment(
        String relay, String session, int size, String transport, String token, Map<Setting, String> more) {

    private static final int SESSION_RANDOM_BYTES = 8;

    /** Copies the map. */
    public GroupEnvironment {
        more = Map.copyOf(more);
    }

    /** Without further settings. */
    public GroupEnvironment(String relay, String session, int size, String transport, String token) {
        this(relay, session, size, transport, token, Map.of());
    }

    /** The same with further settings. */
    public GroupEnvironment with(Map<Setting, String> settings) {
        return new GroupEnvironment(relay, session, size, transport, token, settings);
    }

    /** A name for a session that nobody else uses. */
    public static String randomSession(String prefix) {
        byte[] random = new byte[SESSION_RANDOM_BYTES];
        new SecureRandom().nextBytes(random);
        return prefix + "-" + HexFormat.of().formatHex(random);
    }

    /** The variables of one rank. */
    public Map<String, String> forRank(int rank) {
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put(Setting.RELAY.variable(), relay);
        variables.put(Setting.SESSION.variable(), session);
        variables.put(Setting.RANK.variable(), Integer.toString(rank));
        variables.put(Setting.SIZE.variable(), Integer.toString(size));
        variables.put(Setting.TOKEN.variable(), token);
        variables.put(Setting.TRANSPORT.variable(), transport);
        more.forEach((setting, value) -> variables.put(setting.variable(), value));
        return variables;
    }

    /** By what the processes of this group are recognised. */
    public EnvironmentMark mark() {
        return new EnvironmentMark(Setting.SESSION.variable(), session);
    }
}
