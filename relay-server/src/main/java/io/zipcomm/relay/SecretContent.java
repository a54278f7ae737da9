package io.zipcomm.relay;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Tells secrets from what others may have read. Whoever knows a secret signs tokens with it, so a public key that passes for
 * one lets everybody in. 32 bytes of a public key without anything around them look like any other 32 bytes, and pass.
 */
final class SecretContent {

    private static final int ASN1_SEQUENCE = 0x30;
    private static final int ASN1_LONG_FORM = 0x80;
    private static final int ASN1_LENGTH_BYTES_MAX = 3;

    /** What is in keys of the usual forms, and hardly ever in anything that is random. */
    private static final List<String> MARKS =
            List.of("-----BEGIN", "---- BEGIN", "ssh-ed25519", "ssh-rsa", "ssh-dss", "ecdsa-sha2-", "\"kty\"");

    /** Base64 or hexadecimal that may be a key: none is so short. */
    private static final Pattern ENCODED = Pattern.compile("[A-Za-z0-9+/_-]{32,}");

    private SecretContent() {}

    /** What the bytes are instead of a secret; null if they may be one. */
    static String disclosed(byte[] bytes) {
        // UTF-16 has a zero beside each ASCII character.
        String text = new String(bytes, StandardCharsets.ISO_8859_1)
                .replace("\0", "")
                .replaceFirst("^(\u00fe\u00ff|\u00ff\u00fe|\u00ef\u00bb\u00bf)", "");
        for (String mark : MARKS) {
            if (text.contains(mark)) {
                return "has '" + mark + "' in it, as public keys have";
            }
        }
        if (isDer(bytes)) {
            return "is ASN.1, as public keys are";
        }
        String inner = null;
        // With white space for what stands beside other words, and without it for what is in lines.
        for (String one : List.of(text, text.replaceAll("\\s", ""))) {
            Matcher runs = ENCODED.matcher(one);
            while (inner == null && runs.find()) {
                inner = disclosedBehind(runs.group());
            }
        }
        return inner;
    }

    private static String disclosedBehind(String encoded) {
        byte[] decoded = hexadecimal(encoded);
        String inner = decoded == null ? null : disclosed(decoded);
        if (inner == null) {
            decoded = base64(encoded);
            inner = decoded == null ? null : disclosed(decoded);
        }
        return inner;
    }

    /**
     * What is wrong with the form of a file that is to be a secret; null if nothing is. Random bytes, one line, and base64 in
     * lines have the right form; longer notes that lie beside keys have not.
     *
     * @param bytes without white space at the ends
     */
    static String wrongForm(byte[] bytes) {
        long zeros = IntStream.range(0, bytes.length).filter(i -> bytes[i] == 0).count();
        if (zeros > bytes.length / 4) {
            return "has as many zeros as UTF-16 has";
        }
        String text = text(bytes);
        if (text == null) {
            // Random bytes.
            return null;
        }
        if (text.startsWith("\ufeff")) {
            return "begins with a byte order mark";
        }
        boolean oneLine = text.chars().noneMatch(Character::isISOControl);
        return oneLine || isBase64InLines(text) ? null : "is text of several lines";
    }

    /** The bytes as text; null if they are none. */
    static String text(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    /** Lines of one length, of which only the last may be shorter. */
    private static boolean isBase64InLines(String text) {
        List<String> lines = text.lines().toList();
        int length = lines.get(0).length();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            boolean fits = i < lines.size() - 1 ? line.length() == length : line.length() <= length;
            if (!fits || !line.matches("[A-Za-z0-9+/_-]+=*")) {
                return false;
            }
        }
        return true;
    }

    /** Null if it is none. */
    private static byte[] hexadecimal(String word) {
        return word.length() % 2 == 0 && word.matches("[0-9A-Fa-f]+")
                ? HexFormat.of().parseHex(word)
                : null;
    }

    /** Null if it is none. */
    private static byte[] base64(String word) {
        if (!word.matches("[A-Za-z0-9+/_-]+=*")) {
            return null;
        }
        try {
            return Base64.getUrlDecoder()
                    .decode(word.replace('+', '-').replace('/', '_').replace("=", ""));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Whether there is one sequence, filled by its elements, as every public key and certificate is. */
    private static boolean isDer(byte[] bytes) {
        int from = 0;
        while (from < bytes.length && RelaySecret.isSpace(bytes[from])) {
            from++;
        }
        ByteBuffer in = ByteBuffer.wrap(bytes, from, bytes.length - from);
        if (!in.hasRemaining() || in.get() != ASN1_SEQUENCE) {
            return false;
        }
        int length = length(in);
        if (length <= 0 || length > in.remaining()) {
            return false;
        }
        int end = in.position() + length;
        for (int rest = end; rest < bytes.length; rest++) {
            if (!RelaySecret.isSpace(bytes[rest])) {
                return false;
            }
        }
        in.limit(end);
        while (in.hasRemaining()) {
            in.get();
            int element = length(in);
            if (element < 0 || element > in.remaining()) {
                return false;
            }
            in.position(in.position() + element);
        }
        return true;
    }

    /** Of an element; -1 if that is none. */
    private static int length(ByteBuffer in) {
        if (!in.hasRemaining()) {
            return -1;
        }
        int first = in.get() & 0xff;
        if (first < ASN1_LONG_FORM) {
            return first;
        }
        int bytes = first - ASN1_LONG_FORM;
        if (bytes == 0 || bytes > ASN1_LENGTH_BYTES_MAX || bytes > in.remaining()) {
            return -1;
        }
        int length = 0;
        for (int i = 0; i < bytes; i++) {
            length = (length << Byte.SIZE) | (in.get() & 0xff);
        }
        return length;
    }
}
