package io.zipcomm.testkit.lab;

import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What runs in the hosts of a lab: does with sockets what it is told on standard input, {@code NUMBER COMMAND ARGUMENTS}, and
 * answers {@code NUMBER ANSWER} when it is done. Commands run side by side. It ends with its input.
 */
public final class LabProbe {

    private static final int QUICK_MS = 300;
    private static final int SLOW_MS = 10_000;
    private static final int DATAGRAM_BYTES = 2000;
    private static final int DATAGRAMS_IN_A_ROW = 40;
    private static final double NS_PER_US = 1000;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<String, Connection> kept = new ConcurrentHashMap<>();
    private final Map<String, SimultaneousOpen> opens = new ConcurrentHashMap<>();
    private final AtomicLong datagrams = new AtomicLong();

    private LabProbe() {}

    /** A connection with its streams. */
    private record Connection(Socket socket, DataInputStream in) {

        static Connection of(Socket socket) throws IOException {
            socket.setTcpNoDelay(true);
            return new Connection(socket, new DataInputStream(socket.getInputStream()));
        }

        void write(String line) throws IOException {
            socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
        }

        /** A line; null at the end. */
        String read() throws IOException {
            StringBuilder line = new StringBuilder();
            for (int one = in.read(); one != '\n'; one = in.read()) {
                if (one < 0) {
                    return null;
                }
                line.append((char) one);
            }
            return line.toString();
        }
    }

    /**
     * Runs until the input ends.
     *
     * @param args none
     */
    public static void main(String[] args) throws IOException {
        LabProbe probe = new LabProbe();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ", -1);
            probe.threads.execute(() -> {
                String answer = probe.answer(words);
                synchronized (System.out) {
                    System.out.println(words[0] + " " + answer);
                }
            });
        }
        Runtime.getRuntime().halt(0);
    }

    private String answer(String[] words) {
        try {
            return switch (words[1]) {
                case "serve" -> serve(Integer.parseInt(words[2]));
                case "map" -> map(words[2], address(words[3]), Integer.parseInt(words[4]));
                case "connect" -> connect(Integer.parseInt(words[2]), address(words[3]));
                case "say" -> say(kept.get(words[2]), words[3]);
                case "push" -> push(kept.get(words[2]), words[3]);
                case "hear" -> hear(kept.get(words[2]));
                case "udp" -> udp(Integer.parseInt(words[2]), address(words[3]), address(words[4]));
                case "blast" -> blast(address(words[2]), Integer.parseInt(words[3]));
                case "datagrams" -> Long.toString(datagrams.get());
                case "pingpong" -> pingPong(kept.get(words[2]), Integer.parseInt(words[3]));
                case "stream" -> stream(kept.get(words[2]), Integer.parseInt(words[3]));
                case "open" -> open(words[2], address(words[3]));
                case "punch" -> opens.get(words[2]).run(words[3].equals("lead"), words[4], words[5], words[6]);
                default -> "unknown command";
            };
        } catch (IOException | RuntimeException e) {
            return "failed: " + e;
        }
    }

    /** Of the form {@code HOST,PORT}. */
    private static InetSocketAddress address(String text) throws IOException {
        int comma = text.lastIndexOf(',');
        return new InetSocketAddress(
                InetAddress.getByName(text.substring(0, comma)), Integer.parseInt(text.substring(comma + 1)));
    }

    private static String text(InetAddress address, int port) {
        return address.getHostAddress() + "," + port;
    }

    // ---- serving

    private String serve(int port) throws IOException {
        ServerSocket server = new ServerSocket();
        server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
        server.setOption(StandardSocketOptions.SO_REUSEPORT, true);
        server.bind(new InetSocketAddress(port), 500);
        threads.execute(() -> accept(server));
        DatagramSocket datagramServer = new DatagramSocket(null);
        datagramServer.setOption(StandardSocketOptions.SO_REUSEPORT, true);
        datagramServer.bind(new InetSocketAddress(port));
        threads.execute(() -> answerDatagrams(datagramServer));
        return "ok";
    }

    private void accept(ServerSocket server) {
        try {
            while (true) {
                Connection connection = Connection.of(server.accept());
                String peer = text(connection.socket.getInetAddress(), connection.socket.getPort());
                kept.put(peer, connection);
                connection.write(peer);
                threads.execute(() -> echo(connection));
            }
        } catch (IOException e) {
            System.err.println("server: " + e);
        }
    }

    private static void echo(Connection connection) {
        try {
            for (String line = connection.read(); line != null; line = connection.read()) {
                if (line.startsWith("sink ")) {
                    connection.in.skipNBytes(Long.parseLong(line.substring(5)));
                    connection.write("done");
                } else {
                    connection.write(line);
                }
            }
        } catch (IOException e) {
            // The peer is gone, which is its affair.
        }
    }

    private void answerDatagrams(DatagramSocket server) {
        byte[] buffer = new byte[DATAGRAM_BYTES];
        try {
            while (true) {
                DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
                server.receive(packet);
                datagrams.incrementAndGet();
                if (packet.getLength() == 0) {
                    continue;
                }
                byte[] answer = text(packet.getAddress(), packet.getPort()).getBytes(StandardCharsets.US_ASCII);
                server.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
            }
        } catch (IOException e) {
            System.err.println("datagram server: " + e);
        }
    }

    // ---- connecting

    private static Socket socketFrom(int localPort) throws IOException {
        Socket socket = new Socket();
        socket.setOption(StandardSocketOptions.SO_REUSEADDR, true);
        socket.setOption(StandardSocketOptions.SO_REUSEPORT, true);
        socket.bind(new InetSocketAddress(localPort));
        return socket;
    }

    /** Connects, and keeps the connection under a key; answers as what the server sees it. */
    private String map(String key, InetSocketAddress to, int localPort) throws IOException {
        Socket socket = socketFrom(localPort);
        socket.connect(to, SLOW_MS);
        socket.setSoTimeout(SLOW_MS);
        Connection connection = Connection.of(socket);
        kept.put(key, connection);
        return connection.read();
    }

    private static String connect(int localPort, InetSocketAddress to) throws IOException {
        try (Socket socket = socketFrom(localPort)) {
            socket.connect(to, QUICK_MS);
            socket.setSoTimeout(QUICK_MS);
            return Connection.of(socket).read() == null ? "closed" : "connected";
        } catch (SocketTimeoutException e) {
            return "silence";
        } catch (ConnectException e) {
            return "reset";
        }
    }

    private static String say(Connection connection, String word) throws IOException {
        String pushed = push(connection, word);
        return pushed.equals("ok") ? hear(connection) : pushed;
    }

    private static String push(Connection connection, String word) throws IOException {
        try {
            connection.write(word);
            return "ok";
        } catch (SocketException e) {
            return "reset";
        }
    }

    private static String hear(Connection connection) throws IOException {
        connection.socket.setSoTimeout(QUICK_MS);
        try {
            return connection.read();
        } catch (SocketTimeoutException e) {
            return "silence";
        } catch (SocketException e) {
            return "reset";
        }
    }

    /** As what two servers see a port of ours. */
    private static String udp(int localPort, InetSocketAddress first, InetSocketAddress second) throws IOException {
        try (DatagramSocket socket = new DatagramSocket(new InetSocketAddress(localPort))) {
            socket.setSoTimeout(QUICK_MS);
            String atFirst = ask(socket, first);
            return atFirst + " " + ask(socket, second);
        } catch (SocketTimeoutException e) {
            return "silence";
        }
    }

    private static String ask(DatagramSocket socket, InetSocketAddress to) throws IOException {
        socket.send(new DatagramPacket(new byte[1], 1, to));
        DatagramPacket answer = new DatagramPacket(new byte[DATAGRAM_BYTES], DATAGRAM_BYTES);
        socket.receive(answer);
        return new String(answer.getData(), 0, answer.getLength(), StandardCharsets.US_ASCII);
    }

    /** Not faster than a receiver's buffer is emptied, and empty, so that nothing comes back. */
    private static String blast(InetSocketAddress to, int count) throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            for (int i = 0; i < count; i++) {
                socket.send(new DatagramPacket(new byte[0], 0, to));
                if (i % DATAGRAMS_IN_A_ROW == 0) {
                    TimeUnit.MILLISECONDS.sleep(10);
                }
            }
        } catch (InterruptedException e) {
            return "interrupted";
        }
        return "ok";
    }

    /** Microseconds of the fastest of some round trips. */
    private static String pingPong(Connection connection, int count) throws IOException {
        long fastestNs = Long.MAX_VALUE;
        for (int i = 0; i < count; i++) {
            long fromNs = System.nanoTime();
            connection.write("ping");
            connection.read();
            fastestNs = Math.min(fastestNs, System.nanoTime() - fromNs);
        }
        return Long.toString(Math.round(fastestNs / NS_PER_US));
    }

    /** Microseconds until the server has taken that many bytes. */
    private static String stream(Connection connection, int bytes) throws IOException {
        connection.socket.setSoTimeout(SLOW_MS);
        byte[] block = new byte[1 << 16];
        long fromNs = System.nanoTime();
        connection.write("sink " + bytes);
        for (int left = bytes; left > 0; left -= block.length) {
            connection.socket.getOutputStream().write(block, 0, Math.min(left, block.length));
        }
        connection.read();
        return Long.toString(Math.round((System.nanoTime() - fromNs) / NS_PER_US));
    }

    /** Takes a port for a punch, and answers under which addresses peers may try it: own and observed. */
    private String open(String key, InetSocketAddress server) throws IOException {
        SimultaneousOpen open = new SimultaneousOpen();
        opens.put(key, open);
        String observed = map("rendezvous-" + key, server, open.port());
        return text(kept.get("rendezvous-" + key).socket.getLocalAddress(), open.port()) + " " + observed;
    }
}
