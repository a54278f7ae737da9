package io.zipcomm.bench;

/** Placeholder until the commands exist. {@code warm-archive} is the training run of the class-data archive. */
public final class Main {
    private Main() {}

    /**
     * Runs one command.
     *
     * @param args the command and its options
     */
    public static void main(String[] args) {
        System.out.println("zip " + String.join(" ", args) + ": nothing here yet");
    }
}
