package io.zipcomm.transport.tcp;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** Status line and header fields of an HTTP answer. */
final class HttpHead {

    /** Longest head. */
    static final int BYTES_MAX = 8 << 10;

    private static final int STATUS_DIGITS = 3;

    private final int status;
    private final String statusLine;
    private final Map<String, String> fields;

    private HttpHead(int status, String statusLine, Map<String, String> fields) {
        this.status = status;
        this.statusLine = statusLine;
        this.fields = fields;
    }

    /**
     * Where a head ends.
     *
     * @param bytes as they came in
     * @param count how many there are
     * @return the number of its bytes, or -1 if the end has not come in yet
     * @throws RelayRefusal if it is too long
     */
    static int end(ByteBuffer bytes, int count) throws RelayRefusal {
        for (int at = 3; at < count; at++) {
            if (bytes.get(at) == '\n' && bytes.get(at - 1) == '\r' && bytes.get(at - 2) == '\n') {
                return at + 1;
            }
        }
        if (count >= BYTES_MAX) {
            throw new RelayRefusal("an answer with a head of more than " + BYTES_MAX + " bytes");
        }
        return -1;
    }

    /**
     * Reads a head.
     *
     * @param bytes as they came in
     * @param end   from {@link #end}
     * @throws RelayRefusal if it is not one of HTTP/1
     */
    static HttpHead read(ByteBuffer bytes, int end) throws RelayRefusal {
        byte[] text = new byte[end];
        bytes.get(0, text);
        String[] lines = new String(text, StandardCharsets.ISO_8859_1).split("\r\n", -1);
        String[] first = lines[0].split(" ", 3);
        if (!lines[0].startsWith("HTTP/1.") || first.length < 2 || first[1].length() != STATUS_DIGITS) {
            throw new RelayRefusal("what answers there does not speak HTTP/1");
        }
        Map<String, String> fields = new HashMap<>();
        for (int i = 1; i < lines.length; i++) {
            int colon = lines[i].indexOf(':');
            if (colon > 0) {
                fields.put(
                        lines[i].substring(0, colon).toLowerCase(Locale.ROOT),
                        lines[i].substring(colon + 1).trim());
            }
        }
        try {
            return new HttpHead(Integer.parseInt(first[1]), lines[0], fields);
        } catch (NumberFormatException e) {
            throw new RelayRefusal("an answer that begins with '" + lines[0] + "'", e);
        }
    }

    int status() {
        return status;
    }

    /** For errors. */
    String statusLine() {
        return statusLine;
    }

    /** A field's value; empty if there is none. */
    String field(String name) {
        return fields.getOrDefault(name, "");
    }
}
