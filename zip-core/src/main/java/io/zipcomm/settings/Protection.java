package io.zipcomm.settings;

/**
 * How payloads are protected on their way.
 *
 * @param checksum   whether each carries a checksum that its receiver compares
 * @param encryption which of them are encrypted
 * @param secret     what only members of the group know; may be empty where nothing is encrypted
 */
public record Protection(Checksum checksum, Encryption encryption, Secret secret) {

    /** Whether payloads carry checksums. */
    public enum Checksum {
        /** They do not. */
        OFF(0),
        /** They do, from the sender's memory to the receiver's. */
        ON(1);

        private final int number;

        Checksum(int number) {
            this.number = number;
        }

        /** The number by which ranks compare this when they join. */
        public int number() {
            return number;
        }
    }

    /** Which payloads are encrypted. */
    public enum Encryption {
        /** None. */
        OFF(0),
        /** Those that go through the relay. */
        RELAYED(1);

        private final int number;

        Encryption(int number) {
            this.number = number;
        }

        /** The number by which ranks compare this when they join. */
        public int number() {
            return number;
        }
    }

    /** Whether the relay may do a part of collectives: it could neither check nor read what is protected. */
    public boolean allowsHub() {
        return checksum == Checksum.OFF && encryption == Encryption.OFF;
    }

    /** Says nothing of the secret. */
    @Override
    public String toString() {
        return "checksum " + checksum + ", encryption " + encryption;
    }
}
