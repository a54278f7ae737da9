package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.Set;

/** Makes files with new keys. A file that is there is never written over. */
public final class TokenKeyFiles {

    private static final int SECRET_BYTES = 32;

    private TokenKeyFiles() {}

    /**
     * Makes a key. For HS256 the file is the secret, for the relay and those who mint. For EdDSA it is the private half, for
     * those who mint; the public one, for relays, is put beside it, with {@code .pub} added to the name.
     *
     * @param algorithm of the key
     * @param file      created, readable by its owner only
     * @return the files made
     * @throws ZipException with code BAD_SETTING if a file is there already or cannot be made
     */
    public static List<Path> generate(TokenKey.Algorithm algorithm, Path file) {
        return switch (algorithm) {
            case HS256 -> {
                byte[] secret = new byte[SECRET_BYTES];
                new SecureRandom().nextBytes(secret);
                write(file, "rw-------", Base64.getUrlEncoder().withoutPadding().encodeToString(secret) + "\n");
                yield List.of(file);
            }
            case EDDSA -> {
                Path publicFile = file.resolveSibling(file.getFileName() + ".pub");
                if (Files.exists(publicFile)) {
                    throw exists(publicFile);
                }
                KeyPair pair = pair();
                write(file, "rw-------", pem("PRIVATE KEY", pair.getPrivate().getEncoded()));
                write(
                        publicFile,
                        "rw-r--r--",
                        pem("PUBLIC KEY", pair.getPublic().getEncoded()));
                yield List.of(file, publicFile);
            }
        };
    }

    private static KeyPair pair() {
        try {
            return KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        } catch (NoSuchAlgorithmException e) {
            throw new ZipException(ErrorCode.INTERNAL, "this JVM has no Ed25519: " + e.getMessage(), e);
        }
    }

    private static String pem(String kind, byte[] bytes) {
        String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
        return "-----BEGIN " + kind + "-----\n" + text + "\n-----END " + kind + "-----\n";
    }

    private static void write(Path file, String mode, String text) {
        boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
        FileAttribute<?>[] attributes = posix
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode))}
                : new FileAttribute<?>[0];
        Set<StandardOpenOption> create = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        try (SeekableByteChannel channel = Files.newByteChannel(file, create, attributes)) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (FileAlreadyExistsException e) {
            throw exists(file);
        } catch (IOException e) {
            throw new ZipException(ErrorCode.BAD_SETTING, "key file " + file + " cannot be written: " + e, e);
        }
    }

    private static ZipException exists(Path file) {
        return new ZipException(ErrorCode.BAD_SETTING, "key file " + file + " is there already, and is left as it is");
    }
}
