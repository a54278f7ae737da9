package io.zipcomm.bench.worker;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the harness and its workers say to each other, one line each over the workers' standard input and output: a kind
 * and named values, such as {@code @zip joined rank=2}. Immutable.
 */
public final class Message {

    private static final String PREFIX = "@zip ";

    private final String kind;
    private final Map<String, String> values;

    private Message(String kind, Map<String, String> values) {
        this.kind = kind;
        this.values = values;
    }

    /**
     * A message without values.
     *
     * @param kind one word
     */
    public static Message of(String kind) {
        return new Message(kind, Map.of());
    }

    /** This message with one more value. */
    public Message with(String name, Object value) {
        Map<String, String> more = new LinkedHashMap<>(values);
        more.put(name, String.valueOf(value));
        return new Message(kind, more);
    }

    /** What kind of message. */
    public String kind() {
        return kind;
    }

    /** Whether it has a value of that name. */
    public boolean has(String name) {
        return values.containsKey(name);
    }

    /** A value; the message must have it. */
    public String text(String name) {
        String value = values.get(name);
        if (value == null) {
            throw new IllegalArgumentException("message '" + this + "' lacks " + name);
        }
        return value;
    }

    /** A value that is a number. */
    public long number(String name) {
        return Long.parseLong(text(name));
    }

    /** A value that is a number with a fraction, or NaN. */
    public double decimal(String name) {
        return Double.parseDouble(text(name));
    }

    /** A value that is true or false. */
    public boolean flag(String name) {
        return Boolean.parseBoolean(text(name));
    }

    /**
     * Reads a line.
     *
     * @param line without its end
     * @return null if the line is no message
     */
    public static Message parse(String line) {
        if (!line.startsWith(PREFIX)) {
            return null;
        }
        String[] words = line.substring(PREFIX.length()).split(" ", -1);
        Map<String, String> values = new LinkedHashMap<>();
        for (int i = 1; i < words.length; i++) {
            int equals = words[i].indexOf('=');
            if (equals < 0) {
                return null;
            }
            String value = words[i].substring(equals + 1);
            values.put(words[i].substring(0, equals), URLDecoder.decode(value, StandardCharsets.UTF_8));
        }
        return new Message(words[0], values);
    }

    /** The line, without its end. */
    @Override
    public String toString() {
        StringBuilder line = new StringBuilder(PREFIX).append(kind);
        values.forEach((name, value) ->
                line.append(' ').append(name).append('=').append(URLEncoder.encode(value, StandardCharsets.UTF_8)));
        return line.toString();
    }
}
