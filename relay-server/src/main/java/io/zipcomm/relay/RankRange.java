package io.zipcomm.relay;

/** Ranks from one to another, both included. */
record RankRange(int low, int high) {

    /** Reads {@code lo-hi} or one rank; null if the text is neither. */
    static RankRange parse(String text) {
        int dash = text.indexOf('-');
        try {
            int low = Integer.parseInt(dash < 0 ? text : text.substring(0, dash));
            int high = dash < 0 ? low : Integer.parseInt(text.substring(dash + 1));
            return low >= 0 && low <= high ? new RankRange(low, high) : null;
        } catch (NumberFormatException e) {
            return null;
        }
    }

    boolean contains(int rank) {
        return rank >= low && rank <= high;
    }

    @Override
    public String toString() {
        return low + "-" + high;
    }
}
