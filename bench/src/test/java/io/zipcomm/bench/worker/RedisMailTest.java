package io.zipcomm.bench.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What goes to the server in each style, and when: a server that says yes to everything looks on. */
final class RedisMailTest {

    private static final String TEXT = "8 bytes.";
    private static final String PREFIX = "p:";

    private static RedisMemory memory() {
        return RedisMemory.of(ByteBuffer.wrap(TEXT.getBytes(StandardCharsets.US_ASCII)), 0, TEXT.length());
    }

    /** Publishes and sends 8 bytes, and takes 8 from rank 2. */
    private static void exchange(RedisMail mail) {
        mail.publish(memory());
        mail.send(1, memory());
        mail.receive(2, memory());
        mail.await();
    }

    @Test
    void shouldAwaitEveryReplyAndKeepValuesOutOfNotesInThePlainStyle() throws IOException {
        try (YesServer server = new YesServer();
                RedisLink link = new RedisLink(server.uri(), RedisStyle.PLAIN, false)) {
            RedisMail mail = new RedisMail(link, RedisStyle.PLAIN, PREFIX, 0, 3);
            server.forget();
            exchange(mail);
            mail.barrier();
            assertEquals(
                    List.of(
                            "SET p:all:0:0 8 bytes. EX 600",
                            "RPUSH p:note:0:1 ",
                            "RPUSH p:note:0:2 ",
                            "SET p:to:0:1:0 8 bytes. EX 600",
                            "RPUSH p:note:0:1 ",
                            "BLPOP p:note:2:0 60",
                            "GETDEL p:to:2:0:0",
                            "INCR p:arrived",
                            "RPUSH p:all:1 ",
                            "RPUSH p:all:2 "),
                    server.commands());
            assertEquals(0, server.early(), "commands that came before the reply to the one before");
        }
    }

    @Test
    void shouldSendShortValuesInNotesAndAllCommandsTogetherInTheTunedStyle() throws IOException {
        try (YesServer server = new YesServer();
                RedisLink link = new RedisLink(server.uri(), RedisStyle.TUNED, false)) {
            RedisMail mail = new RedisMail(link, RedisStyle.TUNED, PREFIX, 0, 3);
            server.forget();
            exchange(mail);
            assertEquals(
                    List.of(
                            "RPUSH p:note:0:1 8 bytes.",
                            "RPUSH p:note:0:2 8 bytes.",
                            "RPUSH p:note:0:1 8 bytes.",
                            "BLPOP p:note:2:0 60"),
                    server.commands());
            assertTrue(server.early() > 0, "no command came before the reply to the one before");
        }
    }

    /** Answers every command as if it had done it, after a while, and counts those that do not wait for that. */
    private static final class YesServer implements AutoCloseable {

        private static final long PAUSE_MS = 20;

        private final ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        private final List<String> commands = new ArrayList<>();
        private boolean notesAreEmpty;
        private int early;

        YesServer() throws IOException {
            Thread thread = new Thread(this::serve, "yes-server");
            thread.setDaemon(true);
            thread.start();
        }

        String uri() {
            return "redis://127.0.0.1:" + listening.getLocalPort();
        }

        synchronized void forget() {
            commands.clear();
            early = 0;
        }

        synchronized List<String> commands() {
            return List.copyOf(commands);
        }

        synchronized int early() {
            return early;
        }

        private void serve() {
            try (Socket socket = listening.accept();
                    DataInputStream in = new DataInputStream(new BufferedInputStream(socket.getInputStream()))) {
                OutputStream out = socket.getOutputStream();
                for (int words = length(in); words >= 0; words = length(in)) {
                    List<String> command = new ArrayList<>();
                    for (int i = 0; i < words; i++) {
                        command.add(new String(in.readNBytes(length(in)), StandardCharsets.ISO_8859_1));
                        in.skipNBytes(2);
                    }
                    Thread.sleep(PAUSE_MS);
                    note(command, in.available() > 0);
                    out.write(reply(command).getBytes(StandardCharsets.US_ASCII));
                    out.flush();
                }
            } catch (IOException e) {
                if (!listening.isClosed()) {
                    throw new UncheckedIOException(e);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        /** The number in a line such as {@code *3} or {@code $8}; below 0 at the end of the stream. */
        private static int length(DataInputStream in) throws IOException {
            StringBuilder line = new StringBuilder();
            for (int next = in.read(); next != '\n'; next = in.read()) {
                if (next < 0) {
                    return -1;
                }
                line.append((char) next);
            }
            return Integer.parseInt(line.substring(1).trim());
        }

        private synchronized void note(List<String> command, boolean another) {
            commands.add(String.join(" ", command));
            early += another ? 1 : 0;
            notesAreEmpty |= command.get(0).equals("SET");
        }

        private static String bulk(String text) {
            return "$" + text.length() + "\r\n" + text + "\r\n";
        }

        private synchronized String reply(List<String> command) {
            return switch (command.get(0)) {
                case "INCR", "RPUSH" -> ":3\r\n";
                case "BLPOP" -> "*2\r\n" + bulk(command.get(1)) + bulk(notesAreEmpty ? "" : TEXT);
                case "GETDEL" -> bulk(TEXT);
                case "SCRIPT" -> bulk("0".repeat(40));
                default -> "+OK\r\n";
            };
        }

        @Override
        public void close() throws IOException {
            listening.close();
        }
    }
}
